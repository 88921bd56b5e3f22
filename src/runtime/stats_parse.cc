// Parsers of the kernel's statistics.
#include <charconv>

#include "src/runtime/stats.h"

namespace slipway::runtime {
namespace {

bool next_piece(std::string_view& text, char separator, std::string_view& piece) {
  if (text.empty()) return false;
  const size_t end = text.find(separator);
  piece = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return true;
}

template <class T>
bool to_number(std::string_view text, T& value) {
  const char* const end = text.data() + text.size();
  return std::from_chars(text.data(), end, value).ec == std::errc();
}

bool parse_device(std::string_view text, BlockIoEntry& entry) {
  const size_t colon = text.find(':');
  return colon != std::string_view::npos && to_number(text.substr(0, colon), entry.major) &&
         to_number(text.substr(colon + 1), entry.minor);
}

}  // namespace

std::optional<Pressure> parse_pressure(std::string_view text) {
  Pressure pressure;
  bool any = false;
  std::string_view line;
  while (next_piece(text, '\n', line)) {
    std::string_view word;
    if (!next_piece(line, ' ', word)) continue;
    if (word != "some" && word != "full") continue;
    Pressure::Line& into = word == "some" ? pressure.some : pressure.full;
    any = true;
    while (next_piece(line, ' ', word)) {
      const size_t equal = word.find('=');
      if (equal == std::string_view::npos) continue;
      const std::string_view key = word.substr(0, equal), value = word.substr(equal + 1);
      if (key == "total")
        to_number(value, into.total);
      else if (key == "avg10")
        to_number(value, into.avg10);
      else if (key == "avg60")
        to_number(value, into.avg60);
      else if (key == "avg300")
        to_number(value, into.avg300);
    }
  }
  return any ? std::optional<Pressure>(pressure) : std::nullopt;
}

std::vector<uint16_t> parse_number_list(std::string_view text) {
  std::vector<uint16_t> numbers;
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  std::string_view part;
  while (next_piece(text, ',', part)) {
    const size_t dash = part.find('-');
    uint16_t first = 0, last = 0;
    if (!to_number(part.substr(0, dash), first)) continue;
    last = first;
    if (dash != std::string_view::npos && !to_number(part.substr(dash + 1), last)) continue;
    for (uint32_t number = first; number <= last; ++number) numbers.push_back(static_cast<uint16_t>(number));
  }
  return numbers;
}

std::vector<BlockIoEntry> parse_block_io_v1(std::string_view text) {
  std::vector<BlockIoEntry> entries;
  std::string_view line;
  while (next_piece(text, '\n', line)) {
    std::string_view device, word, value;
    BlockIoEntry entry;
    if (!next_piece(line, ' ', device) || !parse_device(device, entry)) continue;
    if (!next_piece(line, ' ', word)) continue;
    if (next_piece(line, ' ', value))
      entry.operation = word;
    else
      value = word;
    if (entry.operation == "Total" || !to_number(value, entry.value)) continue;
    entries.push_back(std::move(entry));
  }
  return entries;
}

void parse_io_stat(std::string_view text, BlockIoStats& stats) {
  std::string_view line;
  while (next_piece(text, '\n', line)) {
    std::string_view word;
    BlockIoEntry entry;
    if (!next_piece(line, ' ', word) || !parse_device(word, entry)) continue;
    while (next_piece(line, ' ', word)) {
      const size_t equal = word.find('=');
      if (equal == std::string_view::npos || !to_number(word.substr(equal + 1), entry.value)) continue;
      const std::string_view key = word.substr(0, equal);
      if (key != "rbytes" && key != "wbytes" && key != "rios" && key != "wios") continue;
      entry.operation = key[0] == 'r' ? "Read" : "Write";
      (key.ends_with("bytes") ? stats.service_bytes : stats.serviced).push_back(entry);
    }
  }
}

}  // namespace slipway::runtime

#include "src/runtime/systemd_properties.h"

#include <charconv>
#include <limits>

#include "src/runtime/cgroup_values.h"

namespace slipway::runtime {
namespace {

using sys::DbusProperty;
using sys::DbusValue;

constexpr uint64_t kInfinity = UINT64_MAX;
constexpr size_t kMaxCpus = 64 * 1024;

uint64_t or_infinity(int64_t value) {
  return value < 0 ? kInfinity : static_cast<uint64_t>(value);
}

Status add_memory(const oci::MemoryResources& memory, bool v2, std::vector<DbusProperty>& out) {
  if (memory.limit.value_or(0))
    out.emplace_back(v2 ? "MemoryMax" : "MemoryLimit", or_infinity(*memory.limit));
  if (!v2) return {};
  if (memory.reservation.value_or(0)) out.emplace_back("MemoryLow", or_infinity(*memory.reservation));
  // An update of swap alone counts from the limit in force: that is for the control file.
  if (memory.limit.value_or(0) == 0 && memory.swap.value_or(0) > 0) return {};
  const std::string swap = TRY(swap_max_text(memory.limit, memory.swap));
  if (swap == "max")
    out.emplace_back("MemorySwapMax", kInfinity);
  else if (!swap.empty())
    out.emplace_back("MemorySwapMax", strtoull(swap.c_str(), nullptr, 10));
  return {};
}

Status add_cpu(const oci::CpuResources& cpu, bool v2, std::vector<DbusProperty>& out) {
  if (cpu.idle.value_or(0) == 1 && v2)
    out.emplace_back("CPUWeight", uint64_t{0});
  else if (cpu.shares.value_or(0))
    out.emplace_back(v2 ? "CPUWeight" : "CPUShares", v2 ? cpu_weight_of_shares(*cpu.shares) : *cpu.shares);
  if (cpu.period.value_or(0)) out.emplace_back("CPUQuotaPeriodUSec", *cpu.period);
  if (cpu.quota.value_or(0))
    out.emplace_back("CPUQuotaPerSecUSec", cpu_quota_per_second(*cpu.quota, cpu.period.value_or(0)));
  if (!v2) return {};
  if (!cpu.cpus.empty())
    out.emplace_back("AllowedCPUs", TRY(cpu_mask(cpu.cpus).ctx("linux.resources.cpu.cpus")));
  if (!cpu.mems.empty())
    out.emplace_back("AllowedMemoryNodes", TRY(cpu_mask(cpu.mems).ctx("linux.resources.cpu.mems")));
  return {};
}

/// "max" or a number.
bool parse_limit(std::string_view text, uint64_t& value) {
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (text == "max") {
    value = kInfinity;
    return true;
  }
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

Status add_cpu_max(std::string_view text, std::vector<DbusProperty>& out) {
  const size_t space = text.find(' ');
  uint64_t quota = 0, period = 100'000;
  if (!parse_limit(text.substr(0, space), quota) ||
      (space != std::string_view::npos && !parse_limit(text.substr(space + 1), period)) || period == 0 ||
      period > kInfinity / 2)
    return Error::of(ErrorKind::invalid, "linux.resources.unified[cpu.max]: expected \"QUOTA [PERIOD]\"");
  out.emplace_back("CPUQuotaPeriodUSec", period);
  out.emplace_back("CPUQuotaPerSecUSec", quota > static_cast<uint64_t>(INT64_MAX)
                                             ? kInfinity
                                             : cpu_quota_per_second(static_cast<int64_t>(quota), period));
  return {};
}

Status add_unified(std::string_view key, std::string_view text, std::vector<DbusProperty>& out) {
  struct Limit {
    std::string_view file;
    const char* property;
  };
  constexpr Limit kLimits[] = {{"memory.high", "MemoryHigh"},
                               {"memory.low", "MemoryLow"},
                               {"memory.min", "MemoryMin"},
                               {"memory.max", "MemoryMax"},
                               {"memory.swap.max", "MemorySwapMax"},
                               {"memory.zswap.max", "MemoryZSwapMax"},
                               {"pids.max", "TasksMax"},
                               {"cpu.weight", "CPUWeight"}};
  for (const Limit& limit : kLimits) {
    if (key != limit.file) continue;
    uint64_t value = 0;
    if (!parse_limit(text, value))
      return Error::of(ErrorKind::invalid, "linux.resources.unified[%s]: not a number", limit.file.data());
    out.emplace_back(limit.property, value);
    return {};
  }
  if (key == "cpu.max") return add_cpu_max(text, out);
  if (key == "io.weight" || key == "io.bfq.weight") {
    constexpr std::string_view kAll = "default ";
    if (text.starts_with(kAll)) text.remove_prefix(kAll.size());
    // Else it is the weight of one device, which systemd leaves alone.
    if (uint64_t weight = 0; parse_limit(text, weight))
      out.emplace_back("IOWeight", key == "io.weight" ? weight : io_weight_of_bfq(weight));
  }
  if (key == "cpu.idle" && text == "1") out.emplace_back("CPUWeight", uint64_t{0});
  if (key == "cpuset.cpus") out.emplace_back("AllowedCPUs", TRY(cpu_mask(text)));
  if (key == "cpuset.mems") out.emplace_back("AllowedMemoryNodes", TRY(cpu_mask(text)));
  if (key == "memory.oom.group")
    out.emplace_back("OOMPolicy", std::string(text == "1" ? "kill" : "continue"));
  return {};
}

// --- GVariant text ----------------------------------------------------------------------------------------

class GvariantParser {
 public:
  explicit GvariantParser(std::string_view text) : rest_(text) {}

  Result<DbusValue> parse() {
    skip_space();
    DbusValue value = TRY(peek() == '@' ? empty_array() : peek() == '[' ? array() : scalar());
    skip_space();
    if (!rest_.empty()) return broken();
    return value;
  }

 private:
  static Error broken() { return Error::of(ErrorKind::invalid, "no value in GVariant's text format"); }
  char peek() const { return rest_.empty() ? '\0' : rest_[0]; }
  void skip_space() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t')) rest_.remove_prefix(1);
  }
  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  Result<DbusValue> scalar() {
    if (peek() == '\'' || peek() == '"') {
      std::string text = TRY(quoted());
      return DbusValue(std::move(text));
    }
    if (take("true")) return DbusValue(true);
    if (take("false")) return DbusValue(false);
    if (take("objectpath ") || take("string ")) {
      skip_space();
      std::string text = TRY(quoted());
      return DbusValue(std::move(text));
    }
    if (take("boolean ")) {
      skip_space();
      return scalar();
    }
    if (take("uint64 ")) return number<uint64_t>();
    if (take("int64 ")) return number<int64_t>();
    if (take("uint32 ")) return number<uint32_t>();
    if (take("int32 ")) return number<int32_t>();
    if (take("byte ")) return number<uint8_t>();
    if (take("double ")) return number<double>();
    // A number without a type is an int32, or a double when it has a point.
    const std::string_view digits = rest_.substr(0, rest_.find_first_of(",] "));
    return digits.find('.') == std::string_view::npos ? number<int32_t>() : number<double>();
  }

  template <class T>
  Result<DbusValue> number() {
    skip_space();
    T value{};
    if constexpr (std::is_floating_point_v<T>) {
      const std::string text(rest_);
      char* end = nullptr;
      value = strtod(text.c_str(), &end);
      if (end == text.c_str()) return broken();
      rest_.remove_prefix(static_cast<size_t>(end - text.c_str()));
    } else {
      const int base = take("0x") ? 16 : 10;
      const auto parsed = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value, base);
      if (parsed.ec != std::errc()) return broken();
      rest_.remove_prefix(static_cast<size_t>(parsed.ptr - rest_.data()));
    }
    return DbusValue(value);
  }

  Result<std::string> quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') return broken();
    std::string text;
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == quote) {
        rest_.remove_prefix(i + 1);
        return text;
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size()) {
        const char next = rest_[++i];
        text += next == 'n' ? '\n' : next == 't' ? '\t' : next;
      } else {
        text += rest_[i];
      }
    }
    return broken();
  }

  Result<DbusValue> empty_array() {
    if (take("@as "))
      return skip_space(), take("[]") ? Result<DbusValue>(std::vector<std::string>()) : broken();
    if (take("@au ")) return skip_space(), take("[]") ? Result<DbusValue>(std::vector<uint32_t>()) : broken();
    return broken();
  }

  /// All elements have the type of the first.
  Result<DbusValue> array() {
    take("[");
    std::vector<std::string> strings;
    std::vector<uint32_t> words;
    std::vector<uint64_t> longs;
    std::vector<uint8_t> bytes;
    for (bool first = true;; first = false) {
      skip_space();
      if (take("]")) break;
      if (!first) {
        if (!take(",")) return broken();
        skip_space();
      }
      const DbusValue value = TRY(scalar());
      if (const auto* text = std::get_if<std::string>(&value))
        strings.push_back(*text);
      else if (const auto* word = std::get_if<uint32_t>(&value))
        words.push_back(*word);
      else if (const auto* big = std::get_if<uint64_t>(&value))
        longs.push_back(*big);
      else if (const auto* byte = std::get_if<uint8_t>(&value))
        bytes.push_back(*byte);
      else if (const auto* plain = std::get_if<int32_t>(&value); plain && *plain >= 0 && !first) {
        // "[uint32 1, 2]": the type is said once.
        if (!words.empty())
          words.push_back(static_cast<uint32_t>(*plain));
        else if (!longs.empty())
          longs.push_back(static_cast<uint64_t>(*plain));
        else if (!bytes.empty())
          bytes.push_back(static_cast<uint8_t>(*plain));
        else
          return broken();
      } else {
        return broken();
      }
      if (!strings.empty() + !words.empty() + !longs.empty() + !bytes.empty() != 1) return broken();
    }
    if (!words.empty()) return DbusValue(std::move(words));
    if (!longs.empty()) return DbusValue(std::move(longs));
    if (!bytes.empty()) return DbusValue(std::move(bytes));
    return DbusValue(std::move(strings));
  }

  std::string_view rest_;
};

bool is_property_name(std::string_view name) {
  if (name.size() < 3 || name[0] < 'A' || name[0] > 'Z') return false;
  for (const char c : name)
    if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) return false;
  return true;
}

/// Seconds as microseconds.
Result<DbusValue> to_microseconds(const DbusValue& value) {
  constexpr double kMicro = 1e6;
  const double seconds = std::visit(
      [](const auto& item) -> double {
        if constexpr (std::is_arithmetic_v<std::decay_t<decltype(item)>>) return static_cast<double>(item);
        return -1;
      },
      value);
  if (!(seconds >= 0) || seconds * kMicro >= 1.8e19)
    return Error::of(ErrorKind::invalid, "not a number of seconds");
  return DbusValue(static_cast<uint64_t>(seconds * kMicro));
}

}  // namespace

Result<std::vector<uint8_t>> cpu_mask(std::string_view list) {
  std::vector<uint8_t> mask;
  if (!list.empty() && list.back() == '\n') list.remove_suffix(1);
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string_view part = list.substr(0, comma);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    const size_t dash = part.find('-');
    size_t first = 0, last = 0;
    const auto number = [](std::string_view text, size_t& value) {
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
      return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
    };
    bool valid = number(part.substr(0, dash), first);
    last = first;
    if (dash != std::string_view::npos) valid = valid && number(part.substr(dash + 1), last);
    if (!valid || last < first || last >= kMaxCpus)
      return Error::of(ErrorKind::invalid, "no list of numbers: \"%.*s\"", static_cast<int>(part.size()),
                       part.data());
    if (mask.size() <= last / 8) mask.resize(last / 8 + 1);
    for (size_t bit = first; bit <= last; ++bit)
      mask[bit / 8] = static_cast<uint8_t>(mask[bit / 8] | 1 << bit % 8);
  }
  return mask;
}

Result<std::vector<DbusProperty>> resource_properties(const oci::Resources& resources, bool v2) {
  std::vector<DbusProperty> out;
  if (resources.memory) TRY(add_memory(*resources.memory, v2, out));
  if (resources.cpu) TRY(add_cpu(*resources.cpu, v2, out));
  // TasksMax=0 is refused by systemd.
  if (resources.pids && resources.pids->limit)
    out.emplace_back("TasksMax", *resources.pids->limit == 0 ? 1 : or_infinity(*resources.pids->limit));
  if (resources.block_io && resources.block_io->weight.value_or(0)) {
    const uint64_t weight = *resources.block_io->weight;
    out.emplace_back(v2 ? "IOWeight" : "BlockIOWeight", v2 ? io_weight_of_blkio(weight) : weight);
  }
  if (v2)
    for (const Entry<Str>& entry : resources.unified) TRY(add_unified(entry.key, entry.value, out));
  return out;
}

Result<DbusValue> parse_gvariant(std::string_view text) {
  return GvariantParser(text).parse();
}

Result<std::vector<DbusProperty>> annotation_properties(const Map<Str>& annotations) {
  constexpr std::string_view kPrefix = "org.systemd.property.";
  std::vector<DbusProperty> out;
  for (const Entry<Str>& annotation : annotations) {
    const std::string_view key = annotation.key;
    if (!key.starts_with(kPrefix)) continue;
    std::string name(key.substr(kPrefix.size()));
    if (!is_property_name(name))
      return Error::of(ErrorKind::invalid, "annotations[%s]: no name of a property", annotation.key.c_str());
    DbusValue value = TRY(parse_gvariant(annotation.value).ctx("annotations[%s]", annotation.key.c_str()));
    if (name.size() > 3 && name.ends_with("Sec") && name[name.size() - 4] >= 'a' &&
        name[name.size() - 4] <= 'z') {
      name.replace(name.size() - 3, 3, "USec");
      value = TRY(to_microseconds(value).ctx("annotations[%s]", annotation.key.c_str()));
    }
    out.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

}  // namespace slipway::runtime

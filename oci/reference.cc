#include "oci/reference.h"

namespace slipway::oci {

namespace {

constexpr size_t kNameLimit = 255;  // Docker's, of domain and path together
constexpr size_t kTagLimit = 128;
constexpr char kDefaultDomain[] = "docker.io";
constexpr char kLegacyDomain[] = "index.docker.io";
constexpr char kOfficialPrefix[] = "library/";

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alnum(char c) {
  return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
}

/// [a-z0-9]+ runs joined by one of: "." "_" "__" or any number of "-".
bool is_path_component(std::string_view text) {
  size_t i = 0;
  for (;;) {
    const size_t run = i;
    while (i < text.size() && (is_lower(text[i]) || is_digit(text[i]))) ++i;
    if (i == run) return false;
    if (i == text.size()) return true;
    const char c = text[i];
    const size_t separator = i;
    while (i < text.size() && text[i] == c) ++i;
    const size_t length = i - separator;
    if (!(c == '-' || (c == '.' && length == 1) || (c == '_' && length <= 2))) return false;
  }
}

bool is_path(std::string_view text) {
  for (;;) {
    const size_t slash = text.find('/');
    if (!is_path_component(text.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

/// A host name or a bracketed IPv6 address, and perhaps a port.
bool is_domain(std::string_view text) {
  std::string_view host = text;
  if (host.starts_with('[')) {
    const size_t end = host.find(']');
    if (end == std::string_view::npos || end == 1) return false;
    for (const char c : host.substr(1, end - 1))
      if (!(is_alnum(c) || c == ':')) return false;
    host.remove_prefix(end + 1);
    if (host.empty()) return true;
    if (host[0] != ':') return false;
  } else {
    const size_t colon = host.find(':');
    std::string_view labels = host.substr(0, colon);
    for (;;) {
      const size_t dot = labels.find('.');
      const std::string_view label = labels.substr(0, dot);
      if (label.empty() || !is_alnum(label.front()) || !is_alnum(label.back())) return false;
      for (const char c : label)
        if (!(is_alnum(c) || c == '-')) return false;
      if (dot == std::string_view::npos) break;
      labels.remove_prefix(dot + 1);
    }
    if (colon == std::string_view::npos) return true;
    host.remove_prefix(colon);
  }
  host.remove_prefix(1);
  if (host.empty()) return false;
  for (const char c : host)
    if (!is_digit(c)) return false;
  return true;
}

Error bad(std::string_view text, const char* why) {
  return Error::of(ErrorKind::invalid, "`%.*s`: invalid reference format%s%s",
                   static_cast<int>(text.size() < 300 ? text.size() : 300), text.data(), *why ? ": " : "",
                   why);
}

bool has_upper(std::string_view text) {
  for (const char c : text)
    if (c >= 'A' && c <= 'Z') return true;
  return false;
}

/// The first component is a domain only when it cannot be part of a path on Docker Hub.
void split_domain(std::string_view name, Reference& out) {
  const size_t slash = name.find('/');
  const std::string_view first = name.substr(0, slash);
  const bool domain =
      slash != std::string_view::npos &&
      (first.find_first_of(".:") != std::string_view::npos || first == "localhost" || has_upper(first));
  out.domain = domain ? first : kDefaultDomain;
  out.path = domain ? name.substr(slash + 1) : name;
  if (out.domain == kLegacyDomain) out.domain = kDefaultDomain;
  if (out.domain == kDefaultDomain && out.path.find('/') == std::string::npos)
    out.path.insert(0, kOfficialPrefix);
}

}  // namespace

bool is_tag(std::string_view text) {
  if (text.empty() || text.size() > kTagLimit || text[0] == '.' || text[0] == '-') return false;
  for (const char c : text)
    if (!(is_alnum(c) || c == '_' || c == '.' || c == '-')) return false;
  return true;
}

Result<Reference> Reference::parse(std::string_view text) {
  Reference out;
  std::string_view rest = text;
  if (const size_t at = rest.find('@'); at != std::string_view::npos) {
    Result<Digest> digest = Digest::parse(rest.substr(at + 1));
    if (!digest.ok()) return bad(text, digest.error().text());
    if (!*digest) return bad(text, "no text has this digest");  // it would mean: none given
    out.digest = *digest;
    rest = rest.substr(0, at);
  }
  // A colon behind the last slash is the tag's; one before it is a port's.
  const size_t colon = rest.rfind(':');
  const size_t slash = rest.rfind('/');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    const std::string_view tag = rest.substr(colon + 1);
    if (!is_tag(tag)) return bad(text, "not a tag");
    out.tag = tag;
    rest = rest.substr(0, colon);
  }
  if (rest.empty()) return bad(text, "");
  if (rest.size() == 64 && is_hex(rest))
    return bad(text, "cannot specify 64-byte hexadecimal strings as a name");
  split_domain(rest, out);
  if (!is_domain(out.domain)) return bad(text, "");
  if (!is_path(out.path)) return bad(text, has_upper(out.path) ? "repository name must be lowercase" : "");
  if (out.domain.size() + 1 + out.path.size() > kNameLimit)
    return bad(text, "repository name must not be more than 255 characters");
  return out;
}

std::string Reference::name() const {
  return domain + "/" + path;
}

std::string Reference::familiar_name() const {
  if (domain != kDefaultDomain) return name();
  const std::string_view official(kOfficialPrefix);
  if (path.starts_with(official) && path.find('/', official.size()) == std::string::npos)
    return path.substr(official.size());
  return path;
}

namespace {
std::string with_suffix(std::string name, const Reference& reference) {
  if (!reference.tag.empty()) name.append(":").append(reference.tag);
  if (reference.digest) name.append("@").append(reference.digest.text());
  return name;
}
}  // namespace

std::string Reference::text() const {
  return with_suffix(name(), *this);
}
std::string Reference::familiar() const {
  return with_suffix(familiar_name(), *this);
}

void Reference::default_tag() {
  if (tag.empty() && !digest) tag = "latest";
}

}  // namespace slipway::oci

// WWW-Authenticate (RFC 9110, section 11.6.1): what a server wants before it answers.
//
//   Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::oci {

struct Challenge {
  std::string scheme;                                           // in lower case: "bearer", "basic"
  std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case, values unquoted

  /// "" when there is no such parameter.
  std::string_view get(std::string_view name) const;
};

/// All challenges of one header; what cannot be read ends the list.
std::vector<Challenge> parse_challenges(std::string_view header);

/// The value of a Link header (RFC 8288) whose relation is "next": its target, or "".
std::string next_link(std::string_view header);

}  // namespace slipway::oci

// The name server of a network, asked as its containers ask it (RFC 1035).
#pragma once

#include <string>

namespace slipway::manager {

/// Waits, a few seconds at most, until the server tells an address for `name` to whoever asks from the network namespace `ns`.
///
/// netavark tells aardvark-dns by a signal that there is another container, and does not wait: until the server has taken it in, it
/// answers that container nothing, or is not there at all. A program that looks up a name first thing would fail.
void await_name(int ns, const std::string& server, const std::string& name);

}  // namespace slipway::manager

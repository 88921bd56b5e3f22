// `pull`, `push`, `search`, `login` and `logout`: registries are not spoken to; the verbs say what to do instead.
#include "src/cli/slipway/verbs.h"

namespace slipway::cli {

namespace {

Result<int> no_registry(const Call& call) {
  return Error::of(
      ErrorKind::unsupported,
      "registries are not supported: bring images by `skopeo copy docker://NAME docker-archive:FILE` "
      "and `%s load -i FILE`, and take them away by `%s save`",
      call.program.name, call.program.name);
}

constexpr auto kOptions = std::to_array<Option>({
    flag("all-tags", 'a', "not supported"),
    flag("quiet", 'q', "not supported"),
    value("platform", 0, "OS/ARCH", "not supported"),
    value("username", 'u', "NAME", "not supported"),
    value("password", 'p', "PASSWORD", "not supported"),
    flag("password-stdin", 0, "not supported"),
    value("limit", 0, "NUMBER", "not supported"),
    list("filter", 'f', "KEY=VALUE", "not supported"),
});

constexpr Verb verb(const char* name, const char* arguments, const char* summary) {
  return {name, arguments, summary, kOptions, 0, 2, false, no_registry};
}

}  // namespace

const Verb kPush = verb("push", "NAME[:TAG]", "Not supported: there is no registry client yet");
const Verb kSearch = verb("search", "TERM", "Not supported: there is no registry client yet");
const Verb kLogin = verb("login", "[SERVER]", "Not supported: there is no registry client yet");
const Verb kLogout = verb("logout", "[SERVER]", "Not supported: there is no registry client yet");

}  // namespace slipway::cli

#include "src/manager/identity_cache.h"

#include <string>

#include "src/base/digest.h"
#include "src/sys/file.h"

namespace slipway::manager {

struct RememberedIdentity {
  uint32_t uid = 0, gid = 0;
  List<uint32_t> groups;
  Str home;
};

}  // namespace slipway::manager

JSON_OBJECT(slipway::manager::RememberedIdentity,
            JSON_FIELD(slipway::manager::RememberedIdentity, uid, "uid"),
            JSON_FIELD(slipway::manager::RememberedIdentity, gid, "gid"),
            JSON_FIELD(slipway::manager::RememberedIdentity, groups, "groups"),
            JSON_FIELD(slipway::manager::RememberedIdentity, home, "home"));

namespace slipway::manager {

namespace {

/// The question: the layer, the user, and the groups that were asked for.
std::string path_of(const store::Record& record) {
  std::string question(record.config.user.view());
  for (const Str group : record.host.group_add) question.append("\n").append(group.view());
  return "graph/" + std::string(record.layer.view()) + "/user." + sha256(question).brief();
}

}  // namespace

Opt<Identity> remembered_identity(const store::Store& store, const store::Record& record, Arena& arena) {
  if (record.layer.empty()) return {};
  auto text = sys::read_file_at(store.root_fd(), path_of(record).c_str(), 1 << 16);
  if (!text.ok()) return {};
  auto known = json::read<RememberedIdentity>(*text, json::type<RememberedIdentity>, arena);
  if (!known.ok()) return {};
  Identity identity;
  identity.user.uid = (*known)->uid;
  identity.user.gid = (*known)->gid;
  identity.user.additional_gids = (*known)->groups;
  identity.home = (*known)->home;
  return identity;
}

void remember_identity(const store::Store& store, const store::Record& record, const Identity& identity) {
  if (record.layer.empty()) return;
  RememberedIdentity known;
  known.uid = identity.user.uid;
  known.gid = identity.user.gid;
  known.groups = identity.user.additional_gids;
  known.home = identity.home;
  json::Writer writer;
  writer.value(json::type<RememberedIdentity>, &known);
  // It only saves time: what cannot be written is looked up again.
  (void)sys::replace_file_at(store.root_fd(), path_of(record).c_str(), writer.text(), 0600, false);
}

}  // namespace slipway::manager

// `export`: a container's tree as a tar archive, without metadata.
#include <fcntl.h>

#include "oci/tree_archive.h"
#include "src/cli/slipway/output_file.h"
#include "src/cli/slipway/session.h"
#include "src/cli/slipway/verbs.h"
#include "src/manager/container_tree.h"
#include "src/manager/events.h"
#include "src/store/containers.h"
#include "src/sys/file.h"

namespace slipway::cli {

namespace {

constexpr auto kOptions = std::to_array<Option>({
    value("output", 'o', "FILE", "write to a file instead of standard output"),
});

constexpr size_t kBuffer = 1 << 20;

Status write_tree(int tree, int out) {
  std::string buffer;
  oci::TarWriter writer([&](std::string_view bytes) -> Status {
    if (buffer.size() + bytes.size() > kBuffer) {
      TRY(sys::write_all(out, buffer));
      buffer.clear();
    }
    if (bytes.size() > kBuffer) return sys::write_all(out, bytes);
    buffer += bytes;
    return {};
  });
  TRY(oci::TreeArchiver(writer, tree).add_contents_of_root());
  TRY(writer.finish());
  return sys::write_all(out, buffer);
}

Result<int> run(const Call& call) {
  const auto store = TRY(open_store(call));
  store::Containers containers(*store);
  const std::string id = TRY(containers.find(call.args[0]));
  OutputFile file = TRY(OutputFile::open(call.args.value("output"), "export"));
  const Fd mount = TRY(manager::open_container_tree(*store, id));
  const Fd tree = TRY(sys::open_at(mount.get(), ".", O_RDONLY | O_DIRECTORY));
  TRY(write_tree(tree.get(), file.fd()));
  TRY(file.publish());
  manager::container_event(*store, "export", *TRY(containers.load(id, call.arena)));
  return 0;
}

constexpr Verb kVerb = {"export", "CONTAINER", "Write a container's file system as a tar archive",
                        kOptions, 1,           1,
                        false,    run,         "export -o web.tar web"};

}  // namespace

const Verb kExport = kVerb;
const Verb kContainerExport = as("container export", kVerb);

}  // namespace slipway::cli

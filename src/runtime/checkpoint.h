// Checkpoint and restore: the processes of a container as files, by the program criu (https://criu.org).
//
// criu does the work; here is told what it cannot know: which mounts, descriptors and namespaces come from the host,
// and which cgroup, record and hooks go with the container. The images of a checkpoint are criu's, with two files more:
// descriptors.json (as runc and crun write it) and mounts.json.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/runtime/runtime.h"

namespace slipway::runtime {

/// What is done with the container's cgroups and their limits; criu's names, and the numbers of its protocol.
enum class CgroupMode : uint8_t { ignore = 0, soft = 3, full = 4, strict = 5 };
/// How established connections are held while nobody serves them.
enum class NetworkLock : uint8_t { unset = 0, iptables = 1, nftables = 2 };

/// What both are told. The same flags as in `criu dump` and `criu restore`.
struct CriuOptions {
  std::string program = "criu";  // a path, or a name to be looked up
  std::string images;            // directory
  std::string work;              // directory of the log; "": the images'
  bool tcp_established = false;
  bool tcp_close = false;
  bool external_unix_sockets = false;
  bool shell_job = false;
  bool file_locks = false;
  bool auto_dedup = false;
  bool lazy_pages = false;
  bool link_remap = false;
  bool empty_network = false;  // the network namespace is kept as it is, without what is in it
  CgroupMode cgroups = CgroupMode::soft;
  NetworkLock network_lock = NetworkLock::unset;
};

struct CheckpointOptions : CriuOptions {
  std::string parent;  // images of an earlier pre-dump, seen from `images`; "" for none
  bool leave_running = false;
  bool pre_dump = false;  // memory only; the container runs on
  bool tcp_skip_in_flight = false;
  std::string page_server;  // address of a page server; "": none
  uint16_t page_server_port = 0;
  int status_fd = -1;  // gets a NUL when the server of --lazy-pages is ready. Borrowed
};

struct RestoreOptions : CreateOptions {
  CriuOptions criu;
  std::string lsm_profile;        // "apparmor:NAME" or "selinux:LABEL"
  std::string lsm_mount_context;  // for mounts that have one
};

/// Writes the images, and removes the container unless it is left running. After a failure it runs as before.
/// Errors: in_use (not running), unsupported (what criu cannot checkpoint, or no criu), failed with the last errors of
/// criu's log.
Status checkpoint(const Context& context, std::string_view id, const CheckpointOptions& options);

/// A container out of images; it runs, and its init is a child of the caller. As create() otherwise.
Result<Created> restore(const Context& context, std::string_view id, const oci::Spec& spec,
                        std::string_view config_text, const RestoreOptions& options);

/// The absolute path of a program, by $PATH and the directories of the administrator's programs; "" when it is not there.
std::string find_criu(const std::string& program);

}  // namespace slipway::runtime

// The criu program as a service for one request: `criu swrk FD` reads a message from a socket, tells on the way what it
// does (and waits for an answer each time), and answers in the end. The messages are those of criu's rpc.proto.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/fd.h"
#include "src/base/protobuf.h"
#include "src/base/result.h"
#include "src/runtime/checkpoint.h"
#include "src/runtime/plan.h"
#include "src/runtime/spawn.h"

namespace slipway::runtime {

enum class CriuRequest : uint8_t { dump = 1, restore = 2, version = 10, single_pre_dump = 13 };

class Criu {
 public:
  /// criu_opts of rpc.proto.
  enum Field : uint32_t {
    kImagesDirFd = 1,
    kPid = 2,
    kLeaveRunning = 3,
    kExtUnixSk = 4,
    kTcpEstablished = 5,
    kEvasiveDevices = 6,
    kShellJob = 7,
    kFileLocks = 8,
    kLogLevel = 9,
    kLogFile = 10,
    kPageServer = 11,  // a message: address = 1, port = 2
    kNotifyScripts = 12,
    kRoot = 13,
    kParentImg = 14,
    kTrackMem = 15,
    kAutoDedup = 16,
    kWorkDirFd = 17,
    kLinkRemap = 18,
    kCgRoot = 25,  // a message: ctrl = 1, path = 2
    kRstSibling = 26,
    kInheritFd = 27,  // a message: key = 1, fd = 2
    kManageCgroupsMode = 34,
    kExternal = 37,
    kEmptyNs = 38,
    kJoinNs = 39,  // a message: ns = 1, ns_file = 2
    kFreezeCgroup = 44,
    kTcpSkipInFlight = 46,
    kLazyPages = 48,
    kOrphanPtsMaster = 50,
    kConfigFile = 51,
    kTcpClose = 52,
    kLsmProfile = 53,
    kLsmMountContext = 63,
    kNetworkLock = 64,
  };

  /// What criu does ("setup-namespaces", "post-restore" ...), the process that it is about, and what came with it.
  using Listener = std::function<Status(std::string_view action, pid_t pid, Fd fd)>;

  /// Finds the program and opens the directories; `log` is the log's name in the work directory.
  static Result<Criu> prepare(const CriuOptions& options, const oci::Spec& spec, const char* log);

  /// Gives criu a descriptor that has the same number there. It must live until start().
  void keep(int fd) { kept_.push_back(fd); }
  /// The fields that both requests have.
  void describe(const CriuOptions& options, protobuf::Writer& out) const;
  /// What a child needs to become criu (see child_criu.cc), and its standard descriptors. After the last keep().
  CriuPlan* plan(const CriuOptions& options, Arena& arena, ProcessPlan& process);
  /// After the clone: the child is criu when this returns. unsupported: it is too old.
  Status start(Child& child);

  /// One request. Returns the pid of the answer. failed: the last errors of the log.
  Result<pid_t> perform(CriuRequest request, const protobuf::Writer& options, const Listener& listener);

  int images() const { return images_.get(); }

 private:
  Criu() = default;
  Status check_version();
  Error failure() const;

  std::string program_, config_;
  std::string images_path_, work_path_;
  std::string log_;  // in the work directory
  Fd images_, work_;
  Fd null_;
  Fd place_;  // takes the number of criu's end of the socket
  Fd ours_;
  std::vector<int> kept_;
};

}  // namespace slipway::runtime

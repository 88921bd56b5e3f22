// What of a container is not its own, and so is not in criu's images: mounts, standard descriptors and namespaces of the
// host. For each there is a name, under which it is left out by the checkpoint and given back by the restore.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "oci/spec.h"
#include "src/base/fd.h"
#include "src/base/protobuf.h"
#include "src/base/result.h"
#include "src/runtime/criu.h"

namespace slipway::runtime {

/// For a checkpoint: names what init has of the host, and writes descriptors.json and mounts.json beside the images.
/// unsupported: criu would lose it without a word (idmapped mounts), or cannot give it back.
Status name_externals(const State& state, const oci::Spec& spec, int images, protobuf::Writer& out);

/// For a restore, before criu is started: gives it the namespaces of config.json, and the caller's standard descriptors.
/// `keep` gets descriptors that must live until then.
Status give_descriptors(const oci::Spec& spec, const ProcessOptions& options, Criu& criu,
                        std::vector<Fd>& keep, protobuf::Writer& out);

/// When the cgroups are known: says what has the names of mounts now.
Status give_mounts(const State& state, const oci::Spec& spec, const Criu& criu, protobuf::Writer& out);

/// Makes what restored mounts are mounted on, where a new root file system lacks it.
Status make_mountpoints(const State& state, const oci::Spec& spec);

}  // namespace slipway::runtime

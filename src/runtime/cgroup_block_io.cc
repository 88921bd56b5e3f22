// linux.resources.blockIO.
#include "src/runtime/cgroup_resources.h"
#include "src/runtime/cgroup_values.h"

namespace slipway::runtime {
namespace {

constexpr char kWeight[] = "linux.resources.blockIO.weight";
constexpr char kLeafWeight[] = "linux.resources.blockIO.leafWeight";
constexpr char kWeightDevice[] = "linux.resources.blockIO.weightDevice";

struct Throttle {
  const char* property;
  const char* v1_file;
  const char* v2_key;
  const List<oci::ThrottleDevice>& devices;
};

template <class Each>
Status for_each_throttle(const oci::BlockIoResources& io, Each each) {
  const Throttle all[] = {
      {"linux.resources.blockIO.throttleReadBpsDevice", "blkio.throttle.read_bps_device", "rbps",
       io.throttle_read_bps_device},
      {"linux.resources.blockIO.throttleWriteBpsDevice", "blkio.throttle.write_bps_device", "wbps",
       io.throttle_write_bps_device},
      {"linux.resources.blockIO.throttleReadIOPSDevice", "blkio.throttle.read_iops_device", "riops",
       io.throttle_read_iops_device},
      {"linux.resources.blockIO.throttleWriteIOPSDevice", "blkio.throttle.write_iops_device", "wiops",
       io.throttle_write_iops_device},
  };
  for (const Throttle& throttle : all)
    for (const oci::ThrottleDevice& device : throttle.devices) TRY(each(throttle, device));
  return {};
}

std::string device_line(int64_t major, int64_t minor, uint64_t value) {
  return std::to_string(major) + ":" + std::to_string(minor) + " " + std::to_string(value);
}

}  // namespace

Status apply_block_io_v1(const ControlDirectory& directory, const oci::BlockIoResources& io) {
  // blkio.weight went with the CFQ scheduler (5.0); BFQ has its own file.
  const bool bfq = !directory.has("blkio.weight");
  if (io.weight.value_or(0))
    TRY(directory.set(kWeight, bfq ? "blkio.bfq.weight" : "blkio.weight", std::to_string(*io.weight)));
  if (io.leaf_weight.value_or(0))
    TRY(directory.set(kLeafWeight, "blkio.leaf_weight", std::to_string(*io.leaf_weight)));
  for (const oci::WeightDevice& device : io.weight_device) {
    if (device.weight.value_or(0))
      TRY(directory.set(
          kWeightDevice,
          directory.has("blkio.weight_device") ? "blkio.weight_device" : "blkio.bfq.weight_device",
          device_line(device.major, device.minor, *device.weight)));
    if (device.leaf_weight.value_or(0))
      TRY(directory.set(kWeightDevice, "blkio.leaf_weight_device",
                        device_line(device.major, device.minor, *device.leaf_weight)));
  }
  return for_each_throttle(io, [&](const Throttle& throttle, const oci::ThrottleDevice& device) {
    return directory.set(throttle.property, throttle.v1_file,
                         device_line(device.major, device.minor, device.rate));
  });
}

Status apply_block_io_v2(const ControlDirectory& directory, const oci::BlockIoResources& io) {
  if (io.leaf_weight.value_or(0))
    return Error::of(ErrorKind::unsupported, "%s: not supported on cgroup v2", kLeafWeight);
  const bool bfq = directory.has("io.bfq.weight");
  if (io.weight.value_or(0)) {
    if (bfq)
      TRY(directory.set(kWeight, "io.bfq.weight", std::to_string(*io.weight)));
    else
      TRY(directory.set(kWeight, "io.weight", std::to_string(io_weight_of_blkio(*io.weight))));
  }
  for (const oci::WeightDevice& device : io.weight_device) {
    if (device.leaf_weight.value_or(0))
      return Error::of(ErrorKind::unsupported, "%s.leafWeight: not supported on cgroup v2", kWeightDevice);
    if (!device.weight.value_or(0)) continue;
    const uint64_t weight = bfq ? *device.weight : io_weight_of_blkio(*device.weight);
    TRY(directory.set(kWeightDevice, bfq ? "io.bfq.weight" : "io.weight",
                      device_line(device.major, device.minor, weight)));
  }
  return for_each_throttle(io, [&](const Throttle& throttle, const oci::ThrottleDevice& device) {
    return directory.set(throttle.property, "io.max", io_max_line(device, throttle.v2_key));
  });
}

}  // namespace slipway::runtime

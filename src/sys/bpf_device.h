// Device access on cgroup v2: a BPF_PROG_TYPE_CGROUP_DEVICE program (4.15) on the container's directory.
#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <span>
#include <vector>

#include "src/base/result.h"

namespace slipway::sys {

/// The three kinds of access, as the kernel's program context has them.
inline constexpr uint32_t kDeviceMknod = BPF_DEVCG_ACC_MKNOD;
inline constexpr uint32_t kDeviceRead = BPF_DEVCG_ACC_READ;
inline constexpr uint32_t kDeviceWrite = BPF_DEVCG_ACC_WRITE;
inline constexpr uint32_t kDeviceAll = kDeviceMknod | kDeviceRead | kDeviceWrite;

struct DeviceMatch {
  bool allow = false;
  char type = 'a';     // a, b or c
  int64_t major = -1;  // -1: any
  int64_t minor = -1;
  uint32_t access = kDeviceAll;
};

/// The program for a list of rules. For every kind of access that is asked for, the last rule that matches
/// decides; what no rule matches is refused. Pure.
std::vector<bpf_insn> device_program(std::span<const DeviceMatch> rules);

/// Puts the program on the cgroup and takes off the device programs that are there: in one step where there
/// is one (BPF_F_REPLACE, 5.6), else the new one first, so that no moment is without a filter.
Status replace_device_program(int cgroup, std::span<const bpf_insn> program);

}  // namespace slipway::sys

#include "src/runtime/update.h"

#include <sys/file.h>

#include <cerrno>
#include <cstring>

#include "src/base/fault.h"
#include "src/runtime/intel_rdt.h"
#include "src/runtime/state_file.h"
#include "src/sys/file.h"

namespace slipway::runtime {
namespace {

using json::Kind;
using json::Type;

void merge(const Type& type, char* into, const char* from, Arena& arena);

// List, Map and Str have one layout each, whatever they hold.
using AnyList = List<char>;

void merge_map(const Type& type, char* into, const char* from, Arena& arena) {
  AnyList& have = *reinterpret_cast<AnyList*>(into);
  const AnyList& more = *reinterpret_cast<const AnyList*>(from);
  const size_t entry = type.inner_size;
  char* const all = static_cast<char*>(arena.allocate(entry * (have.count + more.count)));
  if (have.count) memcpy(all, have.items, entry * have.count);
  uint32_t count = have.count;
  for (uint32_t i = 0; i < more.count; ++i) {
    const char* const item = more.items + entry * i;
    const Str& key = *reinterpret_cast<const Str*>(item);  // the first member of every Entry
    uint32_t at = 0;
    while (at < count && !(*reinterpret_cast<const Str*>(all + entry * at) == key.view())) ++at;
    if (at < count) {
      merge(*type.inner, all + entry * at + type.value_offset, item + type.value_offset, arena);
    } else {
      memcpy(all + entry * count++, item, entry);
    }
  }
  have.items = all;
  have.count = count;
}

void merge(const Type& type, char* into, const char* from, Arena& arena) {
  switch (type.kind) {
    case Kind::object:
      for (uint32_t i = 0; i < type.field_count; ++i) {
        const json::Field& field = type.fields[i];
        merge(*field.type, into + field.offset, from + field.offset, arena);
      }
      break;
    case Kind::optional:
      if (*reinterpret_cast<const bool*>(from + type.set_offset)) memcpy(into, from, type.size);
      break;
    case Kind::pointer: {
      char* const theirs = *reinterpret_cast<char* const*>(from);
      char*& ours = *reinterpret_cast<char**>(into);
      if (theirs && ours)
        merge(*type.inner, ours, theirs, arena);
      else if (theirs)
        ours = theirs;
      break;
    }
    case Kind::list:
      if (reinterpret_cast<const AnyList*>(from)->count) memcpy(into, from, sizeof(AnyList));
      break;
    case Kind::map:
      if (reinterpret_cast<const AnyList*>(from)->count) merge_map(type, into, from, arena);
      break;
    case Kind::string:
    case Kind::raw:
      if (!reinterpret_cast<const Str*>(from)->empty()) memcpy(into, from, sizeof(Str));
      break;
    case Kind::boolean:
      memcpy(into, from, sizeof(bool));
      break;
    case Kind::integer:
    case Kind::real:
      memcpy(into, from, type.size);
      break;
  }
}

template <class T>
void drop_zero(Opt<T>& number) {
  if (number.value_or(1) == 0) number = {};
}

/// Makes what the pointer shares a copy of its own.
template <class T>
T& own(T*& pointer, Arena& arena) {
  T* const copy = arena.make<T>();
  *copy = *pointer;
  pointer = copy;
  return *copy;
}

/// Engines send zeroes for what they do not mean (docker, for a new restart policy): what apply() passes over
/// must not be kept either.
void drop_zeroes(oci::Resources& resources, Arena& arena) {
  if (resources.memory) {
    oci::MemoryResources& memory = own(resources.memory, arena);
    for (Opt<int64_t>* number :
         {&memory.limit, &memory.reservation, &memory.swap, &memory.kernel, &memory.kernel_tcp})
      drop_zero(*number);
  }
  if (resources.cpu) {
    oci::CpuResources& cpu = own(resources.cpu, arena);
    drop_zero(cpu.shares);
    drop_zero(cpu.quota);
    drop_zero(cpu.period);
    drop_zero(cpu.realtime_runtime);
    drop_zero(cpu.realtime_period);
  }
  if (resources.pids) drop_zero(own(resources.pids, arena).limit);
  if (resources.block_io) {
    oci::BlockIoResources& io = own(resources.block_io, arena);
    drop_zero(io.weight);
    drop_zero(io.leaf_weight);
  }
}

std::string text_of(const oci::Spec& spec) {
  json::Writer writer;
  writer.value(oci::kSpecType, &spec);
  return std::string(writer.text());
}

}  // namespace

void merge_resources(oci::Resources& into, const oci::Resources& changes, Arena& arena) {
  merge(oci::kResourcesType, reinterpret_cast<char*>(&into), reinterpret_cast<const char*>(&changes), arena);
}

Status update(const Context& context, std::string_view id, const oci::Resources& changes) {
  const State state = TRY(load_state(context, id));
  if (state.status == ContainerStatus::stopped)
    return Error::of(ErrorKind::in_use, "container not running: `%s` has stopped", state.id.c_str());
  const Fd directory = TRY(open_container(context, id));
  // Two updates at once: each has its limits in the kernel and in the file.
  if (flock(directory.get(), LOCK_EX) < 0) return Error::sys(errno, "lock the container's directory");

  Arena arena;
  const oci::Spec* const kept = TRY(load_spec(context, id, arena));
  const std::unique_ptr<Cgroup> cgroup = TRY(open_cgroup(context, state.cgroup));
  oci::Resources meant = changes;
  drop_zeroes(meant, arena);

  const std::string before = text_of(*kept);  // what follows changes what it points to
  oci::Spec spec = *kept;
  oci::Linux linux_part = spec.linux_ ? *spec.linux_ : oci::Linux();
  oci::Resources resources = linux_part.resources ? *linux_part.resources : oci::Resources();
  merge_resources(resources, meant, arena);
  linux_part.resources = &resources;
  spec.linux_ = &linux_part;
  // Noted first: on a full disk the kernel must not have limits that the file has not.
  TRY(sys::replace_file_at(directory.get(), kConfigFile, text_of(spec), 0600, false));
  fault_point("runtime.update.noted");
  Status applied = cgroup->apply(meant);
  if (!applied.ok()) (void)sys::replace_file_at(directory.get(), kConfigFile, before, 0600, false);
  return applied;
}

Status update_intel_rdt(const Context& context, std::string_view id, Str l3_cache_schema, Str mem_bw_schema) {
  const State state = TRY(load_state(context, id));
  Arena arena;
  const oci::Spec* const spec = TRY(load_spec(context, id, arena));
  if (!spec->linux_ || !spec->linux_->intel_rdt)
    return Error::of(ErrorKind::unsupported, "Intel RDT: the container was created without linux.intelRdt");
  if (state.status == ContainerStatus::stopped)
    return Error::of(ErrorKind::in_use, "container not running: `%s` has stopped", state.id.c_str());
  oci::IntelRdt rdt = *spec->linux_->intel_rdt;
  rdt.schemata = {};
  rdt.l3_cache_schema = l3_cache_schema;
  rdt.mem_bw_schema = mem_bw_schema;
  // Its group is there: nothing is made that would have to be remembered.
  TRY(join_intel_rdt(rdt, id, state.pid));
  return {};
}

}  // namespace slipway::runtime

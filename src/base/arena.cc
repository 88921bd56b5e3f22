#include "src/base/arena.h"

#include <sys/mman.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace slipway {

namespace {
constexpr size_t kChunkSize = 64 * 1024;
}

struct Arena::Chunk {
  Chunk* next;
  size_t size;
};

Arena::~Arena() {
  while (chunks_) {
    Chunk* next = chunks_->next;
    munmap(chunks_, chunks_->size);
    chunks_ = next;
  }
}

// Anonymous mappings and not malloc: they come zeroed, and only the touched pages cost anything.
void* Arena::allocate(size_t size, size_t align) {
  uintptr_t at = (reinterpret_cast<uintptr_t>(next_) + align - 1) & ~(align - 1);
  if (!next_ || size > reinterpret_cast<uintptr_t>(end_) - at || at > reinterpret_cast<uintptr_t>(end_)) {
    if (size > SIZE_MAX / 2) abort();
    const size_t need = sizeof(Chunk) + size + align;
    const size_t mapped = need > kChunkSize ? (need + 4095) & ~size_t{4095} : kChunkSize;
    void* memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) abort();
    chunks_ = new (memory) Chunk{chunks_, mapped};
    next_ = static_cast<char*>(memory) + sizeof(Chunk);
    end_ = static_cast<char*>(memory) + mapped;
    at = (reinterpret_cast<uintptr_t>(next_) + align - 1) & ~(align - 1);
  }
  next_ = reinterpret_cast<char*>(at + size);
  return reinterpret_cast<void*>(at);
}

Str Arena::copy(std::string_view text) {
  char* out = static_cast<char*>(allocate(text.size() + 1, 1));
  if (!text.empty()) memcpy(out, text.data(), text.size());
  return {out, text.size()};
}

Str Arena::format(const char* fmt, ...) {
  va_list args;
  va_start(args, fmt);
  const int length = vsnprintf(nullptr, 0, fmt, args);
  va_end(args);
  char* out = static_cast<char*>(allocate(static_cast<size_t>(length) + 1, 1));
  va_start(args, fmt);
  vsnprintf(out, static_cast<size_t>(length) + 1, fmt, args);
  va_end(args);
  return {out, static_cast<size_t>(length)};
}

}  // namespace slipway

#include "src/base/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__)  // gcc
#define SLIPWAY_ASAN
#elif defined(__has_feature)  // clang
#if __has_feature(address_sanitizer)
#define SLIPWAY_ASAN
#endif
#endif

// The address sanitizer sees only whole mappings: it is told which bytes of a chunk have been given out, and finds a gap
// behind each piece.
#ifdef SLIPWAY_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size) (static_cast<void>(at), static_cast<void>(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) (static_cast<void>(at), static_cast<void>(size))
#endif

namespace slipway {

namespace {

constexpr size_t kChunkSize = 64 * 1024;
#ifdef SLIPWAY_ASAN
constexpr size_t kGap = 16;
#else
constexpr size_t kGap = 0;
#endif

}  // namespace

struct Arena::Chunk {
  Chunk* next;
  size_t size;
};

Arena::~Arena() {
  while (chunks_) {
    Chunk* next = chunks_->next;
    ASAN_UNPOISON_MEMORY_REGION(chunks_, chunks_->size);
    munmap(chunks_, chunks_->size);
    chunks_ = next;
  }
}

// Anonymous mappings and not malloc: they come zeroed, and only the touched pages cost anything.
void* Arena::allocate(size_t size, size_t align) {
  uintptr_t at = (reinterpret_cast<uintptr_t>(next_) + align - 1) & ~(align - 1);
  if (!next_ || size > reinterpret_cast<uintptr_t>(end_) - at || at > reinterpret_cast<uintptr_t>(end_)) {
    if (size > SIZE_MAX / 2) abort();
    const size_t need = sizeof(Chunk) + size + align + kGap;
    const size_t mapped = need > kChunkSize ? (need + 4095) & ~size_t{4095} : kChunkSize;
    void* memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) abort();
    chunks_ = new (memory) Chunk{chunks_, mapped};
    next_ = static_cast<char*>(memory) + sizeof(Chunk);
    end_ = static_cast<char*>(memory) + mapped;
    ASAN_POISON_MEMORY_REGION(next_, mapped - sizeof(Chunk));
    at = (reinterpret_cast<uintptr_t>(next_) + align - 1) & ~(align - 1);
  }
  next_ = reinterpret_cast<char*>(at + size);
  next_ += std::min(kGap, static_cast<size_t>(end_ - next_));
  void* const given = reinterpret_cast<void*>(at);
  ASAN_UNPOISON_MEMORY_REGION(given, size);
  return given;
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

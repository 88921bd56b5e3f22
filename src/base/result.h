// Result<T>: a value or an Error. Status: success or an Error. TRY() passes an error on.
#pragma once

#include <new>
#include <type_traits>
#include <utility>

#include "src/base/error.h"

namespace slipway {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : ok_(true), value_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Result(Error&& error) : ok_(false), error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  Result(Result&& other) noexcept : ok_(other.ok_) {
    if (ok_) {
      new (&value_) T(std::move(other.value_));
    } else {
      new (&error_) Error(std::move(other.error_));
    }
  }
  Result& operator=(Result&& other) noexcept {
    this->~Result();
    return *new (this) Result(std::move(other));
  }
  ~Result() {
    if (ok_) {
      value_.~T();
    } else {
      error_.~Error();
    }
  }

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  /// Only when ok().
  T& value() & { return value_; }
  const T& value() const& { return value_; }
  T value() && { return std::move(value_); }
  T& operator*() & { return value_; }
  T* operator->() { return &value_; }
  /// Only when !ok().
  Error& error() & { return error_; }
  Error&& error() && { return std::move(error_); }

  /// Adds context to the error, if there is one.
  template <class... Args>
  Result&& ctx(const char* fmt, Args... args) && {
    if (!ok_) add(fmt, args...);
    return std::move(*this);
  }

 private:
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  template <class... Args>
  void add(const char* fmt, Args... args) {
    error_.add_context(fmt, args...);
  }
#pragma GCC diagnostic pop

  bool ok_;
  union {
    T value_;
    Error error_;
  };
};

struct Done {};

template <>
class Result<void>;
using Status = Result<void>;

template <>
class [[nodiscard]] Result<void> : public Result<Done> {
 public:
  Result() : Result<Done>(Done{}) {}
  Result(Error&& error) : Result<Done>(std::move(error)) {}         // NOLINT(google-explicit-constructor)
  Result(Result<Done>&& other) : Result<Done>(std::move(other)) {}  // NOLINT(google-explicit-constructor)
  void value() && {}
  template <class... Args>
  Status ctx(const char* fmt, Args... args) &&;
};

template <class... Args>
Status Result<void>::ctx(const char* fmt, Args... args) && {
  return Status(static_cast<Result<Done>&&>(*this).ctx(fmt, args...));
}

}  // namespace slipway

/// The value of a Result, or a return of its Error from the enclosing function.
#define TRY(...)                             \
  ({                                         \
    auto try_result_ = (__VA_ARGS__);        \
    if (!try_result_.ok()) [[unlikely]]      \
      return std::move(try_result_).error(); \
    std::move(try_result_).value();          \
  })

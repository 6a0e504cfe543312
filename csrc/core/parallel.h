#pragma once

#include <cstdint>

namespace attnengine {

// Throws InvalidArgument unless 1 <= num_threads <= 1024.
void check_threads(int num_threads);

// For its lifetime, regions opened by this thread use at most `num_threads` threads, and no more
// than limit_threads allows. Throws Error in a forked child if its parent has run a step: the
// threads of the parent do not exist there. Throws what thread_backend throws.
class ThreadScope {
 public:
  explicit ThreadScope(int num_threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int previous_;
};

// Limits the threads of all scopes of the calling thread: workers share the machine.
void limit_threads(int threads);

using RangeFunction = void (*)(const void* context, std::int64_t begin, std::int64_t end);

// Calls f(context, begin, end) for contiguous parts of [0, n), in parallel when n * work operations
// pay for it.
void parallel_ranges(std::int64_t n, std::int64_t work, RangeFunction f, const void* context);

// Calls f for the parts in `threads` new threads, which end with the call. For work outside of
// steps: the process may still fork afterwards.
void joined_ranges(std::int64_t n, int threads, RangeFunction f, const void* context);

template <class F>
[[gnu::always_inline]] inline RangeFunction range_function() {
  return [](const void* context, std::int64_t begin, std::int64_t end) {
    (*static_cast<const F*>(context))(begin, end);
  };
}

// parallel_ranges and joined_ranges for any callable f(begin, end).
template <class F>
[[gnu::always_inline]] inline void parallel_for(std::int64_t n, std::int64_t work, const F& f) {
  parallel_ranges(n, work, range_function<F>(), &f);
}
template <class F>
void joined_for(std::int64_t n, int threads, const F& f) {
  joined_ranges(n, threads, range_function<F>(), &f);
}

}  // namespace attnengine

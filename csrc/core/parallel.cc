#include "core/parallel.h"

#include <algorithm>
#include <atomic>
#include <pthread.h>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "core/errors.h"

namespace attnengine {
namespace {

// Work below which a second thread costs more than it brings, in vector instructions or a quarter
// of a nanosecond: a region takes 1 us, or 50 us where other programs hold the cores.
constexpr std::int64_t kMinWork = 1 << 16;
constexpr int kMaxThreads = 1024;

thread_local int num_threads = 1;
thread_local int most_threads = kMaxThreads;
std::atomic<bool> forked{false};

void check_not_forked() {
  // once in a process, whose children then know that it has run
  static const int watching = pthread_atfork(nullptr, nullptr, [] { forked = true; });
  if (watching == 0 && forked)
    throw Error(
        "attnengine ran in the parent of this forked process, whose threads do not exist here: "
        "start workers with the \"spawn\" method, or fork before the first step");
}

}  // namespace

void check_threads(int num_threads) {
  if (num_threads < 1 || num_threads > kMaxThreads)
    throw InvalidArgument("num_threads is " + std::to_string(num_threads) + ", expected 1 to " +
                          std::to_string(kMaxThreads));
}

ThreadScope::ThreadScope(int threads) : previous_(num_threads) {
  check_not_forked();
  num_threads = std::min(threads, most_threads);
}

ThreadScope::~ThreadScope() { num_threads = previous_; }

void limit_threads(int threads) {
  check_threads(threads);
  most_threads = threads;
}

void joined_ranges(std::int64_t n, int threads, RangeFunction f, const void* context) {
  const auto part = [=](int i) { f(context, n * i / threads, n * (i + 1) / threads); };
  std::vector<std::thread> others;
  others.reserve(threads);
  int i = 1;
  try {
    for (; i < threads; ++i) others.emplace_back(part, i);
  } catch (const std::system_error&) {  // the machine has no more threads to give
    for (; i < threads; ++i) part(i);
  }
  if (threads > 0) part(0);
  for (std::thread& other : others) other.join();
}

void parallel_ranges(std::int64_t n, std::int64_t work, RangeFunction f, const void* context) {
  const std::int64_t paying = n * work / kMinWork;
  const auto threads = static_cast<int>(std::min<std::int64_t>({num_threads, n, paying}));
  if (threads <= 1) {
    if (n > 0) f(context, 0, n);
    return;
  }
  const int outer = std::exchange(num_threads, 1);  // regions inside of this one
#if defined(ATTNENGINE_OPENMP)
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int i = 0; i < threads; ++i) f(context, n * i / threads, n * (i + 1) / threads);
#else
  joined_ranges(n, threads, f, context);
#endif
  num_threads = outer;
}

}  // namespace attnengine

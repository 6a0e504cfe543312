#include "core/parallel.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <memory>
#include <pthread.h>
#include <string>

#include "core/errors.h"
#include "core/thread_backend.h"
#include "core/thread_pool.h"

namespace attnengine {
namespace {

// Work for which a further thread pays, in vector instructions or a quarter of a nanosecond.
constexpr std::int64_t kMinWork = 1 << 12;

thread_local int num_threads = 1;
thread_local int most_threads = ThreadPool::kMaxThreads;
std::atomic<bool> forked{false};

void check_not_forked() {
  // once in a process: its children then know that it has run
  static const int watching = pthread_atfork(nullptr, nullptr, [] { forked = true; });
  if (watching == 0 && forked)
    throw Error(
        "attnengine ran in the parent of this forked process, and its threads do not exist here: "
        "start workers with the \"spawn\" method, or fork before the first step");
}

struct Ranges {
  std::int64_t n;
  RangeFunction f;
  const void* context;

  void part(int i, int parts) const { f(context, n * i / parts, n * (i + 1) / parts); }
};

void run_ranges(ThreadPool& pool, const Ranges& ranges, int threads) {
  const auto part = [](const void* job, int i, int parts) {
    static_cast<const Ranges*>(job)->part(i, parts);
  };
  pool.run(threads, part, &ranges);
}

// Threads of the calling thread, which end with it.
ThreadPool& pool_of_thread() {
  struct Owned {
    ~Owned() {
      if (forked) pool.release();  // in the child its threads do not exist
    }
    std::unique_ptr<ThreadPool> pool = std::make_unique<ThreadPool>();
  };
  static thread_local Owned owned;
  return *owned.pool;
}

#if defined(ATTNENGINE_HAS_OPENMP)
void run_openmp(const Ranges& ranges, int threads) {
  std::exception_ptr error;  // must not leave the region
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int i = 0; i < threads; ++i) try {
      ranges.part(i, threads);
    } catch (...) {
#pragma omp critical
      if (!error) error = std::current_exception();
    }
  if (error) std::rethrow_exception(error);
}

constexpr bool kHasOpenMp = true;
#else
void run_openmp(const Ranges&, int) {}  // never chosen

constexpr bool kHasOpenMp = false;
#endif

ThreadBackend choose_backend() {
  const char* wanted = std::getenv("ATTNENGINE_PARALLEL");
  if (!wanted) return ThreadBackend::kPool;
  const std::vector<std::string> available = available_thread_backends();
  const auto found = std::find(available.begin(), available.end(), wanted);
  if (found != available.end()) return static_cast<ThreadBackend>(found - available.begin());
  std::string names;
  for (const std::string& name : available) names += (names.empty() ? "" : ", ") + name;
  throw InvalidArgument("ATTNENGINE_PARALLEL is \"" + std::string(wanted) +
                        "\", expected one that this build has: " + names);
}

}  // namespace

ThreadBackend thread_backend() {
  static const ThreadBackend chosen = choose_backend();
  return chosen;
}

std::vector<std::string> available_thread_backends() {
  std::vector<std::string> available{kThreadBackendNames[0]};
  if (kHasOpenMp) available.emplace_back(kThreadBackendNames[1]);
  return available;
}

void check_threads(int num_threads) {
  if (num_threads < 1 || num_threads > ThreadPool::kMaxThreads)
    throw InvalidArgument("num_threads is " + std::to_string(num_threads) + ", expected 1 to " +
                          std::to_string(ThreadPool::kMaxThreads));
}

ThreadScope::ThreadScope(int threads) : previous_(num_threads) {
  thread_backend();  // a name that is wrong is an error of every step, parallel or not
  check_not_forked();
  num_threads = std::min(threads, most_threads);
}

ThreadScope::~ThreadScope() { num_threads = previous_; }

void limit_threads(int threads) {
  check_threads(threads);
  most_threads = threads;
}

void joined_ranges(std::int64_t n, int threads, RangeFunction f, const void* context) {
  if (n == 0) return;
  ThreadPool pool;
  run_ranges(pool, {n, f, context}, threads);
}

void parallel_ranges(std::int64_t n, std::int64_t work, RangeFunction f, const void* context) {
  const std::int64_t paying = n * work / kMinWork;
  const auto threads = static_cast<int>(std::min<std::int64_t>({num_threads, n, paying}));
  if (threads <= 1) {
    if (n > 0) f(context, 0, n);
    return;
  }
  const ThreadScope inner(1);  // regions inside of this one
  const Ranges ranges{n, f, context};
  if (thread_backend() == ThreadBackend::kOpenMp)
    run_openmp(ranges, threads);
  else
    run_ranges(pool_of_thread(), ranges, threads);
}

}  // namespace attnengine

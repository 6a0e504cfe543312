#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace attnengine {

// Threads that help the one which owns them. Each thread has its own part of every job, so that the
// same memory stays in its cache. A thread that finishes its part takes parts not yet started, and
// so never waits for a thread that the system has not scheduled.
class ThreadPool {
 public:
  using Part = void (*)(const void* job, int part, int parts);

  static constexpr int kMaxThreads = 1024;

  ThreadPool() = default;
  ~ThreadPool();  // waits until its threads have ended
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Calls part(job, i, parts) once for each i in [0, parts), parts <= kMaxThreads. Uses `parts`
  // threads, or fewer if the system has no more. When all are done, throws what a part has thrown.
  void run(int parts, Part part, const void* job);

 private:
  struct Helper {
    std::thread thread;
    std::condition_variable wake;
    std::atomic<bool> asleep{false};
  };

  // The job's number, counted from 1, and its number of parts. They are one integer, so that a
  // thread that wakes up late never takes a part of another job.
  using Ticket = std::uint64_t;

  static Ticket number(Ticket ticket) { return ticket / (2 * kMaxThreads); }
  static int parts_of(Ticket ticket) { return static_cast<int>(ticket % (2 * kMaxThreads)); }

  void start_threads(int count);
  void wake_threads(int count);
  void serve(Helper& helper, int thread);
  Ticket next(Helper& helper, int thread, Ticket seen);
  bool claim(int part, Ticket ticket);
  void work(int thread, Ticket ticket);
  void call(int part, int parts);

  // The current job; written while no thread works on one.
  Part part_ = nullptr;
  const void* job_ = nullptr;
  std::exception_ptr error_;  // the first exception

  std::unique_ptr<std::atomic<Ticket>[]> claimed_ =  // (kMaxThreads,) the last job of each part
      std::make_unique<std::atomic<Ticket>[]>(kMaxThreads);
  std::vector<std::unique_ptr<Helper>> helpers_;
  bool no_more_threads_ = false;  // the system gives no more
  std::mutex mutex_;              // guards falling asleep, and the error

  alignas(64) std::atomic<Ticket> ticket_{0};  // what the threads look at
  std::atomic<bool> ended_{false};
  alignas(64) std::atomic<int> unfinished_{0};
};

}  // namespace attnengine

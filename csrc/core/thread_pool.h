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

// Threads that help the one which owns them. Each has its own part of a job, as the same memory
// stays in its cache then; what nobody has begun when a thread is through with its own it takes as
// well. So nobody waits for a thread that the system has not scheduled yet.
class ThreadPool {
 public:
  using Part = void (*)(const void* job, int part, int parts);

  static constexpr int kMaxThreads = 1024;

  ThreadPool() = default;
  ~ThreadPool();  // waits until its threads have ended
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Calls part(job, i, parts) once for each i in [0, parts), parts <= kMaxThreads, on as many
  // threads, or on fewer if the system has no more. Throws what a part throws, once all are done.
  void run(int parts, Part part, const void* job);

 private:
  struct Helper {
    std::thread thread;
    std::condition_variable wake;
    std::atomic<bool> asleep{false};
  };

  // Which job it is, counted from 1, and its number of parts: one number, so that a thread which
  // was away never mistakes the parts of one job for those of another.
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

  // Of the job at hand; written while no thread has a part of one.
  Part part_ = nullptr;
  const void* job_ = nullptr;
  std::exception_ptr error_;  // the first one

  std::unique_ptr<std::atomic<Ticket>[]> claimed_ =  // (kMaxThreads,) the last job of each part
      std::make_unique<std::atomic<Ticket>[]>(kMaxThreads);
  std::vector<std::unique_ptr<Helper>> helpers_;
  bool no_more_threads_ = false;  // of the system
  std::mutex mutex_;              // of who falls asleep, and of the error

  alignas(64) std::atomic<Ticket> ticket_{0};  // what the threads look at
  std::atomic<bool> ended_{false};
  alignas(64) std::atomic<int> unfinished_{0};
};

}  // namespace attnengine

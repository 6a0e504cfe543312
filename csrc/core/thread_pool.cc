#include "core/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <sched.h>
#include <system_error>
#include <utility>

namespace attnengine {
namespace {

// How long a waiting thread spins before it gives up its core. This is longer than the pause
// between two steps: waking a thread takes some 10 us.
constexpr std::chrono::microseconds kPatience{200};

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Spins for a while until done(); returns whether it is.
template <class Done>
bool spin(Done done) {
  constexpr int kLooks = 64;  // between two looks at the clock
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  do {
    for (int i = 0; i < kLooks; ++i) {
      if (done()) return true;
      relax();
    }
  } while (Clock::now() - begin < kPatience);
  return false;
}

}  // namespace

ThreadPool::~ThreadPool() {
  ended_ = true;
  wake_threads(static_cast<int>(helpers_.size()));
  for (const auto& helper : helpers_) helper->thread.join();
}

void ThreadPool::run(int parts, Part part, const void* job) {
  start_threads(parts - 1);
  part_ = part;
  job_ = job;
  unfinished_.store(parts, std::memory_order_relaxed);
  const Ticket ticket = (number(ticket_.load()) + 1) * 2 * kMaxThreads + parts;
  ticket_ = ticket;
  wake_threads(parts - 1);
  work(0, ticket);
  const auto finished = [&] { return unfinished_.load(std::memory_order_acquire) == 0; };
  if (!spin(finished))
    while (!finished()) sched_yield();  // who has the last part may be waiting for this core
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void ThreadPool::start_threads(int count) {
  while (int(helpers_.size()) < count && !no_more_threads_) {
    auto helper = std::make_unique<Helper>();
    Helper& own = *helper;
    helpers_.push_back(std::move(helper));
    const auto thread = static_cast<int>(helpers_.size());
    try {
      own.thread = std::thread([this, &own, thread] { serve(own, thread); });
    } catch (const std::system_error&) {
      helpers_.pop_back();
      no_more_threads_ = true;
    }
  }
}

// The first ones, as far as they sleep.
void ThreadPool::wake_threads(int count) {
  for (int i = 0; i < std::min<int>(count, helpers_.size()); ++i) {
    if (!helpers_[i]->asleep) continue;
    const std::lock_guard<std::mutex> lock(mutex_);  // who is about to sleep does so before
    helpers_[i]->wake.notify_one();
  }
}

void ThreadPool::serve(Helper& helper, int thread) {
  Ticket ticket = 0;
  while (true) {
    ticket = next(helper, thread, ticket);
    if (ended_) return;
    work(thread, ticket);
  }
}

// The next job after one that has a part for the thread; anything once the pool ends.
ThreadPool::Ticket ThreadPool::next(Helper& helper, int thread, Ticket seen) {
  Ticket ticket = 0;
  const auto called = [&] {
    ticket = ticket_;
    return (ticket != seen && thread < parts_of(ticket)) || ended_;
  };
  if (!spin(called)) {
    std::unique_lock<std::mutex> lock(mutex_);
    helper.asleep = true;
    helper.wake.wait(lock, called);
    helper.asleep = false;
  }
  return ticket;
}

// Whether the part is the caller's now. Every part of a job that has ended was claimed for it: a
// thread that is late gets none.
bool ThreadPool::claim(int part, Ticket ticket) {
  Ticket last = claimed_[part].load(std::memory_order_relaxed);
  return last < ticket && claimed_[part].compare_exchange_strong(last, ticket);
}

void ThreadPool::work(int thread, Ticket ticket) {
  const int parts = parts_of(ticket);
  for (int i = 0; i < parts; ++i) {
    const int part = (thread + i) % parts;
    if (claim(part, ticket)) call(part, parts);
  }
}

void ThreadPool::call(int part, int parts) {
  try {
    part_(job_, part, parts);
  } catch (...) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!error_) error_ = std::current_exception();
  }
  unfinished_.fetch_sub(1, std::memory_order_acq_rel);
}

}  // namespace attnengine

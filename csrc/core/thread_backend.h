#pragma once

#include <string>
#include <vector>

namespace attnengine {

// What runs parallel regions: threads of our own (thread_pool.h), or those of OpenMP.
enum class ThreadBackend { kPool, kOpenMp };
constexpr const char* kThreadBackendNames[] = {"pool", "openmp"};

// The pool, or what the environment variable ATTNENGINE_PARALLEL names. Throws InvalidArgument when
// this build lacks that.
ThreadBackend thread_backend();
std::vector<std::string> available_thread_backends();

}  // namespace attnengine

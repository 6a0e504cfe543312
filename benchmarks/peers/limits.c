// `limits THREADS` prints the read bandwidth and the arithmetic peaks of this machine as JSON.
//
// Peaks are sums of products in registers, with the machine's best instruction for each type.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

enum { kBytes = 512 << 20, kSums = 12, kSteps = 4000000, kTurns = 10, kMaxThreads = 64 };

#if defined(__AVX512F__)
typedef float Floats __attribute__((vector_size(64)));
#elif defined(__AVX__)
typedef float Floats __attribute__((vector_size(32)));
#else
typedef float Floats __attribute__((vector_size(16)));
#endif
typedef int64_t Words __attribute__((vector_size(64)));

#define EACH_SUM for (int i = 0; i < kSums; ++i)

static double run_float32(int thread) {
  (void)thread;
  Floats sums[kSums], x = {0}, y = {0};
  EACH_SUM sums[i] = x + (float)i;
  x += 0.5f;
  y += 0.25f;
  for (int step = 0; step < kSteps; ++step) EACH_SUM sums[i] = sums[i] * x + y;
  volatile float sink = 0;
  EACH_SUM sink += sums[i][0];
  return 2.0 * sizeof(Floats) / sizeof(float) * kSums * kSteps;
}

#if defined(__AVX512VNNI__)
#define HAVE_INT8
typedef __m512i Sum8;
static inline Sum8 add_products(Sum8 sum, Sum8 x) { return _mm512_dpbusd_epi32(sum, x, x); }
#elif defined(__AVXVNNI__)
#define HAVE_INT8
typedef __m256i Sum8;
static inline Sum8 add_products(Sum8 sum, Sum8 x) { return _mm256_dpbusd_avx_epi32(sum, x, x); }
#elif defined(__AVX2__)
#define HAVE_INT8
typedef __m256i Sum8;
static inline Sum8 add_products(Sum8 sum, Sum8 x) {
  const __m256i pairs = _mm256_maddubs_epi16(sum, x);  // of the sum, or it would leave the loop
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
#elif defined(__ARM_FEATURE_DOTPROD)
#define HAVE_INT8
typedef int32x4_t Sum8;
static inline Sum8 add_products(Sum8 sum, Sum8 x) {
  return vdotq_s32(sum, vreinterpretq_s8_s32(x), vreinterpretq_s8_s32(x));
}
#endif

#ifdef HAVE_INT8
static double run_int8(int thread) {
  (void)thread;
  Sum8 sums[kSums], x;
  memset(&x, 1, sizeof x);
  EACH_SUM memset(&sums[i], i, sizeof x);
  for (int step = 0; step < kSteps; ++step) EACH_SUM sums[i] = add_products(sums[i], x);
  volatile char sink = 0;
  EACH_SUM sink += ((char*)&sums[i])[0];
  return 2.0 * sizeof(Sum8) * kSums * kSteps;
}
#else
static double run_int8(int thread) { return run_float32(thread); }
#endif

#ifdef __AVX512BF16__
static double run_bfloat16(int thread) {
  (void)thread;
  __m512 sums[kSums];
  __m512bh x;
  memset(&x, 0x3f, sizeof x);
  EACH_SUM sums[i] = _mm512_set1_ps(i);
  for (int step = 0; step < kSteps; ++step) EACH_SUM sums[i] = _mm512_dpbf16_ps(sums[i], x, x);
  volatile float sink = 0;
  EACH_SUM sink += sums[i][0];
  return 2.0 * sizeof x / 2 * kSums * kSteps;
}
#else
static double run_bfloat16(int thread) { return run_float32(thread); }
#endif

static Words* memory;
static int num_threads;

static double read_memory(int thread) {
  const size_t each = kBytes / sizeof(Words) / num_threads;
  const Words* part = memory + thread * each;
  Words sums[8] = {{0}};
  for (size_t i = 0; i + 8 <= each; i += 8)
    for (int k = 0; k < 8; ++k) sums[k] += part[i + k];
  volatile int64_t sink = 0;
  for (int k = 0; k < 8; ++k)
    for (int lane = 0; lane < 8; ++lane) sink += sums[k][lane];
  return (double)each * sizeof(Words);
}

typedef struct {
  double (*run)(int);
  int thread;
  double done;
} Job;

static void* work(void* argument) {
  Job* job = argument;
  job->done = job->run(job->thread);
  return NULL;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + 1e-9 * time.tv_nsec;
}

// The best of several turns of all threads, in bytes or operations per second.
static double best(double (*run)(int)) {
  double fastest = 0;
  for (int turn = 0; turn < kTurns; ++turn) {
    pthread_t threads[kMaxThreads];
    Job jobs[kMaxThreads];
    const double start = now();
    for (int t = 0; t < num_threads; ++t) {
      jobs[t] = (Job){run, t, 0};
      pthread_create(&threads[t], NULL, work, &jobs[t]);
    }
    double done = 0;
    for (int t = 0; t < num_threads; ++t) {
      pthread_join(threads[t], NULL);
      done += jobs[t].done;
    }
    const double rate = done / (now() - start);
    if (rate > fastest) fastest = rate;
  }
  return fastest;
}

int main(int argc, char** argv) {
  num_threads = argc > 1 ? atoi(argv[1]) : 1;
  if (num_threads < 1 || num_threads > kMaxThreads) return 2;
  memory = aligned_alloc(sizeof(Words), kBytes);
  memset(memory, 1, kBytes);
  printf("{\"bandwidth\": %.6g, \"float32\": %.6g, \"bfloat16\": %.6g, \"int8\": %.6g}\n",
         best(read_memory), best(run_float32), best(run_bfloat16), best(run_int8));
  free(memory);
  return 0;
}

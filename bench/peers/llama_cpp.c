// llama.cpp through its C interface, measured as its own llama-bench does: random tokens, one
// repetition that is not counted, a pool of threads that poll.
//
//   llama_cpp quantize BACKENDS FROM.gguf TO.gguf q8_0|q4_0
//   llama_cpp bench BACKENDS MODEL.gguf THREADS REPETITIONS DEPTH TEST...     TEST: pp512, tg128
//
// BACKENDS is the folder of libggml-cpu-*.so, of which ggml takes the best for this processor.
// `bench` prints a line for each test, its name and the tokens per second of each repetition, and
// at last "private" and the bytes of memory that are the process's own.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ggml-backend.h"
#include "ggml-cpu.h"
#include "llama.h"

static void Fail(const char* what) {
  fprintf(stderr, "llama_cpp: %s failed\n", what);
  exit(1);
}

static void LogErrors(enum ggml_log_level level, const char* text, void* unused) {
  (void)unused;
  if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
}

static double Seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static long long PrivateBytes(void) {
  long long kibibytes = 0;
  char line[256];
  FILE* status = fopen("/proc/self/status", "r");
  while (status != NULL && fgets(line, sizeof line, status) != NULL) {
    sscanf(line, "RssAnon: %lld", &kibibytes);
  }
  if (status != NULL) fclose(status);
  return kibibytes * 1024;
}

// The pool's functions are in the library that was chosen at run time.
static struct ggml_threadpool* NewPool(int threads) {
  ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
  if (cpu == NULL) Fail("finding the CPU backend");
  struct ggml_threadpool* (*create)(struct ggml_threadpool_params*) =
      (struct ggml_threadpool * (*)(struct ggml_threadpool_params*))
          ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(cpu),
                                            "ggml_threadpool_new");
  if (create == NULL) Fail("finding ggml_threadpool_new");
  struct ggml_threadpool_params params;
  ggml_threadpool_params_init(&params, threads);  // Its polling is llama-bench's.
  return create(&params);
}

static void Compute(struct llama_context* context, llama_token* tokens, int count) {
  if (llama_decode(context, llama_batch_get_one(tokens, count)) != 0) Fail("llama_decode");
  llama_synchronize(context);
}

static void ComputeInPieces(struct llama_context* context, llama_token* tokens, int count) {
  const int piece = (int)llama_n_batch(context);
  for (int done = 0; done < count; done += piece) {
    Compute(context, tokens + done, count - done < piece ? count - done : piece);
  }
}

// Computes tokens at `depth`, forgetting what was there, and returns tokens per second.
static double Repeat(struct llama_context* context, const char* test, llama_token* tokens,
                     int count, int depth) {
  llama_memory_clear(llama_get_memory(context), false);
  ComputeInPieces(context, tokens, depth);
  tokens += depth;
  const double begin = Seconds();
  if (strncmp(test, "pp", 2) == 0) {
    ComputeInPieces(context, tokens, count);
  } else {
    for (int i = 0; i < count; ++i) Compute(context, tokens + i, 1);
  }
  return count / (Seconds() - begin);
}

static void Bench(struct llama_model* model, int threads, int repetitions, int depth,
                  const char* test) {
  const int count = atoi(test + 2);
  struct llama_context_params params = llama_context_default_params();
  params.n_ctx = (uint32_t)(depth + count);
  params.n_threads = params.n_threads_batch = threads;
  params.no_perf = true;
  params.swa_full = false;  // As llama-server and llama-cli have it.
  struct llama_context* context = llama_init_from_model(model, params);
  if (context == NULL) Fail("llama_init_from_model");
  llama_attach_threadpool(context, NewPool(threads), NULL);
  llama_token* tokens = malloc(sizeof *tokens * (size_t)(depth + count));
  const int vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model));
  for (int i = 0; i < depth + count; ++i) tokens[i] = rand() % vocabulary;
  Repeat(context, test, tokens, strncmp(test, "pp", 2) == 0 ? count : 1, depth);
  printf("%s", test);
  for (int i = 0; i < repetitions; ++i) {
    printf(" %.3f", Repeat(context, test, tokens, count, depth));
  }
  printf("\n");
  free(tokens);
  // The pool's threads sleep from now on, and end with the process.
  llama_free(context);
}

int main(int argc, char** argv) {
  if (argc < 6) {
    fputs("See the beginning of llama_cpp.c.\n", stderr);
    return 64;
  }
  llama_log_set(LogErrors, NULL);
  ggml_backend_load_all_from_path(argv[2]);
  llama_backend_init();
  if (strcmp(argv[1], "quantize") == 0) {
    struct llama_model_quantize_params params = llama_model_quantize_default_params();
    params.ftype = strcmp(argv[5], "q4_0") == 0 ? LLAMA_FTYPE_MOSTLY_Q4_0 : LLAMA_FTYPE_MOSTLY_Q8_0;
    if (llama_model_quantize(argv[3], argv[4], &params) != 0) Fail("llama_model_quantize");
    return 0;
  }
  struct llama_model* model = llama_model_load_from_file(argv[3], llama_model_default_params());
  if (model == NULL) Fail("llama_model_load_from_file");
  for (int i = 7; i < argc; ++i) {
    Bench(model, atoi(argv[4]), atoi(argv[5]), atoi(argv[6]), argv[i]);
  }
  printf("private %lld\n", PrivateBytes());
  return 0;
}

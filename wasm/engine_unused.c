/* Parts of Emscripten's C library that the engines never use, though something they do use refers
 * to them. Defined here, they are not linked, which saves four kilobytes of compressed code. The C
 * tests, which print and whose main function runs on a thread, have the originals. */
#include <stdio.h>

/* Memory is traced through it in debug builds of the C library. */
int printf(const char *restrict format, ...) {
    (void)format;
    return 0;
}

#ifdef __EMSCRIPTEN_PTHREADS__
#include <emscripten/proxying.h>
#include <pthread.h>

/* Calls from one thread to another, and from a thread to what only the main thread may do: start
 * threads, exit, and write to files. The threads of the pool only compute. */
void _emscripten_thread_mailbox_init(pthread_t thread);
void _emscripten_thread_mailbox_shutdown(pthread_t thread);
void _emscripten_check_mailbox(void);
double _emscripten_run_on_main_thread_js(int function, void *code, int count, double *args,
                                         int synchronous);

em_proxying_queue *emscripten_proxy_get_system_queue(void) {
    return NULL;
}

void emscripten_proxy_execute_queue(em_proxying_queue *queue) {
    (void)queue;
}

void _emscripten_thread_mailbox_init(pthread_t thread) {
    (void)thread;
}

void _emscripten_thread_mailbox_shutdown(pthread_t thread) {
    (void)thread;
}

void _emscripten_check_mailbox(void) {}

double _emscripten_run_on_main_thread_js(int function, void *code, int count, double *args,
                                         int synchronous) {
    (void)function, (void)code, (void)count, (void)args, (void)synchronous;
    return 0;
}
#endif

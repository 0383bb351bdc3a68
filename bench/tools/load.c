/*
 * A client so cheap that what it measures is the way to the server: HTTP/1.1 GET by blocking sockets.
 *
 *   load MODE HOST PORT PATH CLIENTS SECONDS [AT]
 *
 *   named  a new connection for each request, the name looked up for each
 *   new    a new connection for each request, the name looked up once
 *   keep   one connection for all requests of a client
 *
 * Every client is a thread. Where HTTP_PROXY is set (http://USER:PASSWORD@HOST:PORT), requests go there
 * in absolute form, for every mode, and the proxy looks the name up; USER and PASSWORD are sent as they
 * stand. A tenth of the time is warm-up.
 * With AT (seconds since 1970) it begins then, together with others that were told the same.
 * Prints one line of JSON: requests, seconds, errors, p50 and p99 in microseconds, and with AT all hundredths.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLES_MAX = 1 << 20, ERRORS_MAX = 100, CLIENTS_MAX = 256, TIMEOUT_S = 10, READY_TRIES = 250 };

static const char *mode, *host, *port;
static char request[4096], by_host[256], by_port[16];
static struct addrinfo *address;
static double starts, ends;

struct client {
  pthread_t thread;
  float *us;
  int count, errors;
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(const char *what) {
  fprintf(stderr, "load: %s\n", what);
  exit(1);
}

static void encode(const char *from, char *to) { /* Base64 (RFC 4648). */
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t left = strlen(from); left > 0; from += 3, left = left > 3 ? left - 3 : 0) {
    unsigned a = (unsigned char)from[0], b = left > 1 ? (unsigned char)from[1] : 0;
    unsigned c = left > 2 ? (unsigned char)from[2] : 0, all = a << 16 | b << 8 | c;
    *to++ = letters[all >> 18];
    *to++ = letters[all >> 12 & 63];
    *to++ = left > 1 ? letters[all >> 6 & 63] : '=';
    *to++ = left > 2 ? letters[all & 63] : '=';
  }
  *to = 0;
}

static struct addrinfo *look_up(void) {
  struct addrinfo *found, hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
  return getaddrinfo(by_host, by_port, &hints, &found) == 0 ? found : NULL;
}

/* Writes the request once; through a proxy, its target is the whole URL. */
static void prepare(const char *path, const char *proxy) {
  const char *connection = strcmp(mode, "keep") == 0 ? "keep-alive" : "close";
  char target[1024] = "", login[512] = "", encoded[700] = "", credentials[800] = "";
  snprintf(by_host, sizeof by_host, "%s", host);
  snprintf(by_port, sizeof by_port, "%s", port);
  if (proxy != NULL) {
    if (sscanf(proxy, "http://%511[^@/]@%255[^:/]:%15[0-9]", login, by_host, by_port) != 3) {
      login[0] = 0;
      if (sscanf(proxy, "http://%255[^:/]:%15[0-9]", by_host, by_port) != 2) fail("HTTP_PROXY");
    }
    snprintf(target, sizeof target, "http://%s:%s", host, port);
    encode(login, encoded);
    if (login[0]) snprintf(credentials, sizeof credentials, "Proxy-Authorization: Basic %s\r\n", encoded);
  }
  snprintf(request, sizeof request, "GET %s%s HTTP/1.1\r\nHost: %s:%s\r\n%sConnection: %s\r\n\r\n", target,
           path, host, port, credentials, connection);
}

static int dial(void) {
  struct addrinfo *to = address, *own = NULL;
  struct timeval patience = {.tv_sec = TIMEOUT_S};
  if (strcmp(mode, "named") == 0 && (own = to = look_up()) == NULL) return -1;
  int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
  setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  int failed = connect(s, to->ai_addr, to->ai_addrlen);
  if (own != NULL) freeaddrinfo(own);
  if (failed == 0) return s;
  close(s);
  return -1;
}

/* Sends the request and reads the whole answer: status 200 and as many bytes as it says. */
static int exchange(int s) {
  char answer[16384];
  size_t length = strlen(request), have = 0;
  if (send(s, request, length, MSG_NOSIGNAL) != (ssize_t)length) return -1;
  for (;;) {
    ssize_t n = recv(s, answer + have, sizeof answer - 1 - have, 0);
    if (n <= 0) return -1;
    have += n;
    answer[have] = 0;
    char *end = strstr(answer, "\r\n\r\n"), *said = strcasestr(answer, "\r\ncontent-length:");
    if (end == NULL) continue;
    if (strncmp(answer + 8, " 200", 4) != 0 || said == NULL || said > end) return -1;
    if (have >= (size_t)(end + 4 - answer) + strtoul(said + 17, NULL, 10)) return 0;
    if (have == sizeof answer - 1) return -1;
  }
}

static void *work(void *of) {
  struct client *client = of;
  int kept = -1, keeps = strcmp(mode, "keep") == 0;
  for (double begun; (begun = now()) < ends && client->errors < ERRORS_MAX;) {
    int s = kept >= 0 ? kept : dial();
    int failed = s < 0 || exchange(s) != 0;
    double done = now();
    kept = keeps && !failed ? s : -1;
    if (kept < 0 && s >= 0) close(s);
    if (failed) client->errors++;
    else if (begun >= starts && client->count < SAMPLES_MAX) client->us[client->count++] = (done - begun) * 1e6;
  }
  return NULL;
}

/* A peer's proxy may still be starting when its client runs: waits until one request succeeds. */
static void wait_ready(void) {
  for (int tries = 0; tries < READY_TRIES; tries++) {
    int s = dial(), done = s >= 0 && exchange(s) == 0;
    if (s >= 0) close(s);
    if (done) return;
    usleep(20000);
  }
  fail("no answer within five seconds");
}

static int by_size(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  static struct client clients[CLIENTS_MAX];
  if (argc != 7 && argc != 8) fail("MODE HOST PORT PATH CLIENTS SECONDS [AT]");
  mode = argv[1], host = argv[2], port = argv[3];
  int count = atoi(argv[5]), total = 0, errors = 0;
  double seconds = atof(argv[6]);
  if (count < 1 || count > CLIENTS_MAX || seconds <= 0 || seconds > 60) fail("CLIENTS or SECONDS");
  prepare(argv[4], getenv("HTTP_PROXY"));
  if ((address = look_up()) == NULL) fail("no such host");
  wait_ready();
  if (argc == 8) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    double left = atof(argv[7]) - (t.tv_sec + t.tv_nsec / 1e9);
    if (left < 0) fail("AT is over");
    usleep((useconds_t)(left * 1e6));
  }
  double begun = now();
  starts = begun + seconds / 10, ends = starts + seconds;
  for (int n = 0; n < count; n++) {
    clients[n].us = calloc(SAMPLES_MAX, sizeof(float));
    if (pthread_create(&clients[n].thread, NULL, work, &clients[n]) != 0) fail("threads");
  }
  for (int n = 0; n < count; n++) {
    pthread_join(clients[n].thread, NULL);
    total += clients[n].count;
    errors += clients[n].errors;
  }
  float *all = calloc(total + 1, sizeof *all), *to = all;
  for (int n = 0; n < count; n++) to = mempcpy(to, clients[n].us, clients[n].count * sizeof *all);
  qsort(all, total, sizeof *all, by_size);
  printf("{\"requests\":%d,\"seconds\":%.3f,\"errors\":%d,\"p50\":%.1f,\"p99\":%.1f", total, seconds, errors,
         all[total / 2], all[total * 99 / 100]);
  if (argc == 8) {
    printf(",\"hundredths\":[");
    for (int n = 0; n < 100; n++) printf("%s%.1f", n == 0 ? "" : ",", all[(long)total * n / 100]);
    printf("]");
  }
  printf("}\n");
  return total == 0;
}

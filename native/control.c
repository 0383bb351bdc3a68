/* Frames from the daemon, JSON lines and descriptors to it. */
#define _GNU_SOURCE
#include "launcher.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FRAME_BYTES_MAX = 4 << 20, HANG_UP_MS = 5000, STRING_BYTES_MAX = 5000 };

static int read_exactly(void *to, size_t length) {
  char *at = to;
  while (length > 0) {
    ssize_t got = read(CONTROL_FD, at, length);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return 0;
    at += got;
    length -= (size_t)got;
  }
  return 1;
}

int read_frame(struct frame *frame) {
  uint32_t length;
  if (!read_exactly(&length, sizeof length)) return 0;
  if (length > FRAME_BYTES_MAX) refuse("control", "frame", "longer than its limit");
  frame->bytes = malloc(length + 1);
  if (frame->bytes == NULL) fail("control", "malloc", "");
  frame->length = length;
  frame->at = 0;
  return read_exactly(frame->bytes, length);
}

const char *next_field(struct frame *frame, uint32_t *length) {
  uint32_t size;
  if (frame->at == frame->length) return NULL;
  if (frame->length - frame->at < sizeof size) refuse("control", "frame", "cut short");
  memcpy(&size, frame->bytes + frame->at, sizeof size);
  frame->at += sizeof size;
  if (frame->length - frame->at < (uint64_t)size + 1) refuse("control", "frame", "cut short");
  const char *field = frame->bytes + frame->at;
  if (field[size] != '\0') refuse("control", "frame", "field without its end");
  frame->at += size + 1;
  if (length != NULL) *length = size;
  return field;
}

const char *need_field(struct frame *frame) {
  const char *field = next_field(frame, NULL);
  if (field == NULL) refuse("control", "frame", "a field is missing");
  return field;
}

long need_number(struct frame *frame) {
  const char *field = need_field(frame);
  char *end;
  errno = 0;
  long value = strtol(field, &end, 10);
  if (errno != 0 || *end != '\0' || end == field) refuse("control", "number", field);
  return value;
}

static void put(struct line *line, const char *text, size_t length) {
  /* Room stays for the closing brace and newline. */
  if (line->length + length + 16 > sizeof line->text) return;
  memcpy(line->text + line->length, text, length);
  line->length += length;
}

static void put_string(struct line *line, const char *value) {
  size_t start = line->length;
  put(line, "\"", 1);
  for (const unsigned char *c = (const unsigned char *)value; *c != '\0'; c++) {
    char escaped[8];
    /* A longer one is cut, so that a line has room for three: what comes behind them stays whole, and the line JSON. */
    if (line->length - start > STRING_BYTES_MAX) break;
    if (*c == '"' || *c == '\\') {
      put(line, (char[]){'\\', (char)*c}, 2);
    } else if (*c < 0x20 || *c >= 0x7f) {
      /* Bytes above ASCII come out one by one as U+0080..U+00FF: ugly, but never broken JSON. */
      put(line, escaped, (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", *c));
    } else {
      put(line, (const char *)c, 1);
    }
  }
  put(line, "\"", 1);
}

void line_open(struct line *line, const char *type) {
  line->length = 0;
  put(line, "{\"type\":", 8);
  put_string(line, type);
}

void line_text(struct line *line, const char *key, const char *value) {
  put(line, ",", 1);
  put_string(line, key);
  put(line, ":", 1);
  put_string(line, value);
}

void line_number(struct line *line, const char *key, long long value) {
  char digits[24];
  put(line, ",", 1);
  put_string(line, key);
  put(line, ":", 1);
  put(line, digits, (size_t)snprintf(digits, sizeof digits, "%lld", value));
}

void line_status(struct line *line, int status) {
  if (WIFSIGNALED(status)) line_number(line, "signal", WTERMSIG(status));
  else line_number(line, "code", WEXITSTATUS(status));
}

void line_send(struct line *line) {
  memcpy(line->text + line->length, "}\n", 2);
  size_t length = line->length + 2;
  const char *at = line->text;
  while (length > 0) {
    ssize_t sent = send(CONTROL_FD, at, length, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) _exit(REFUSED); /* The daemon is gone: so is the run. */
    at += sent;
    length -= (size_t)sent;
  }
}

int offer_descriptors(const char *label, const int *descriptors, int count) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int) * 8)];
  } control;
  struct iovec vector = {(void *)label, strlen(label)};
  struct msghdr message = {
      .msg_iov = &vector,
      .msg_iovlen = 1,
      .msg_control = control.space,
      .msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count),
  };
  memset(&control, 0, sizeof control);
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
  memcpy(CMSG_DATA(header), descriptors, sizeof(int) * (size_t)count);
  if (sendmsg(CARRIER_FD, &message, MSG_NOSIGNAL) < 0) return -1;
  /* The line comes after its packet, so that whoever reads the line finds the packet waiting. */
  struct line line;
  line_open(&line, "descriptors");
  line_text(&line, "label", label);
  line_number(&line, "count", count);
  line_send(&line);
  return 0;
}

void send_descriptors(const char *label, const int *descriptors, int count) {
  if (offer_descriptors(label, descriptors, count) < 0) fail("control", "sendmsg", label);
}

void fail(const char *step, const char *call, const char *about) {
  int error = errno;
  struct line line;
  line_open(&line, "failed");
  line_text(&line, "step", step);
  line_text(&line, "call", call);
  line_text(&line, "about", about);
  line_number(&line, "errno", error);
  line_send(&line);
  /* Ending with orders unread would reset the stream, and the reset overtakes these words: wait until
   * the daemon, which has them, hangs up. */
  struct pollfd daemon = {.fd = CONTROL_FD, .events = 0};
  while (poll(&daemon, 1, HANG_UP_MS) < 0 && errno == EINTR) continue;
  _exit(REFUSED);
}

void refuse(const char *step, const char *call, const char *about) {
  errno = 0;
  fail(step, call, about);
}

void write_file(const char *step, const char *path, const char *text) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) fail(step, "open", path);
  if (write(file, text, strlen(text)) != (ssize_t)strlen(text)) fail(step, "write", path);
  close(file);
}

int read_small_file(const char *path, char *text, size_t size) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t length = read(file, text, size - 1);
  int error = errno;
  close(file);
  errno = error;
  if (length < 0) return -1;
  text[length] = '\0';
  return (int)length;
}

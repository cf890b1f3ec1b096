/* The provider of the benchmark: answers POST with a chat completion, or with a stream of events when the body asks
 * for one. One thread, one epoll, loopback only. Usage: upstream [port]; prints the port it listens on.
 *
 * GET /control?events=N&pace_us=N sets how many events the next streams have and how far apart they are sent; it
 * answers with how many calls of either kind came so far. Each event carries @nanoseconds@ of CLOCK_MONOTONIC, so that
 * a reader on the same machine can tell how long it was held.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_FD 4096
#define MAX_REQUEST (8 << 20)

struct buffer {
    char *data;
    size_t len, cap;
};

struct connection {
    int open, blocked;
    struct buffer in, out;
    int events_left; /* of a paced stream that is being sent */
    uint64_t next_at;
};

static struct connection connections[MAX_FD];
static int epoll_fd, highest_fd, paced_streams;
static int events = 50;
static unsigned long answers, streams;
static long pace_us = 0;

static const char ANSWER_TAIL[] =
    "\"},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1200,\"completion_tokens\":180,"
    "\"total_tokens\":1380,\"prompt_tokens_details\":{\"cached_tokens\":1024,\"audio_tokens\":0},"
    "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0}},\"service_tier\":\"default\"}";
static const char ANSWER_HEAD[] =
    "{\"id\":\"chatcmpl-bench0000000000000000000\",\"object\":\"chat.completion\",\"created\":1760000000,"
    "\"model\":\"bench-model\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"";

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void reserve(struct buffer *b, size_t more) {
    if (b->len + more <= b->cap) return;
    size_t cap = b->cap ? b->cap : 16384;
    while (cap < b->len + more) cap *= 2;
    b->data = realloc(b->data, cap);
    if (!b->data) abort();
    b->cap = cap;
}

static void append(struct buffer *b, const char *data, size_t len) {
    reserve(b, len);
    memcpy(b->data + b->len, data, len);
    b->len += len;
}

static void append_chunk(struct buffer *b, const char *data, size_t len) {
    char size[16];
    append(b, size, (size_t)snprintf(size, sizeof size, "%zx\r\n", len));
    append(b, data, len);
    append(b, "\r\n", 2);
}

static void append_event(struct buffer *b) {
    char event[512];
    int len = snprintf(event, sizeof event,
                       "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,"
                       "\"model\":\"bench-model\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"@%llu@\"},"
                       "\"finish_reason\":null}]}\n\n",
                       (unsigned long long)now_ns());
    append_chunk(b, event, (size_t)len);
}

static void append_stream_end(struct buffer *b) {
    static const char usage[] =
        "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,"
        "\"model\":\"bench-model\",\"choices\":[],\"usage\":{\"prompt_tokens\":1200,\"completion_tokens\":50,"
        "\"total_tokens\":1250}}\n\n";
    static const char done[] = "data: [DONE]\n\n";
    append_chunk(b, usage, sizeof usage - 1);
    append_chunk(b, done, sizeof done - 1);
    append(b, "0\r\n\r\n", 5);
}

static void append_answer(struct buffer *b) {
    answers++;
    static char answer[1200];
    static int len;
    if (!len) {
        char filler[421];
        memset(filler, 'a', sizeof filler - 1);
        filler[sizeof filler - 1] = 0;
        len = snprintf(answer, sizeof answer, "%s%s%s", ANSWER_HEAD, filler, ANSWER_TAIL);
    }
    char head[160];
    append(b, head, (size_t)snprintf(head, sizeof head,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len));
    append(b, answer, (size_t)len);
}

static void drop(int fd) {
    struct connection *c = &connections[fd];
    if (c->events_left) paced_streams--;
    free(c->in.data);
    free(c->out.data);
    memset(c, 0, sizeof *c);
    close(fd);
}

static void flush(int fd) {
    struct connection *c = &connections[fd];
    while (c->out.len) {
        ssize_t n = send(fd, c->out.data, c->out.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (n < 0) {
            drop(fd);
            return;
        }
        c->out.len -= (size_t)n;
        memmove(c->out.data, c->out.data + n, c->out.len);
    }
    int blocked = c->out.len != 0;
    if (c->blocked != blocked) {
        c->blocked = blocked;
        struct epoll_event e = {.events = EPOLLIN | (blocked ? EPOLLOUT : 0), .data.fd = fd};
        epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &e);
    }
}

static void control(const char *target, size_t size, struct buffer *out) {
    char copy[256];
    if (size >= sizeof copy) size = sizeof copy - 1;
    memcpy(copy, target, size);
    copy[size] = 0;
    char *found = strstr(copy, "events=");
    if (found) events = atoi(found + 7);
    found = strstr(copy, "pace_us=");
    if (found) pace_us = atol(found + 8);
    char counts[64], head[64];
    int len = snprintf(counts, sizeof counts, "{\"answers\":%lu,\"streams\":%lu}", answers, streams);
    append(out, head, (size_t)snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len));
    append(out, counts, (size_t)len);
}

static void begin_stream(struct connection *c) {
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    streams++;
    append(&c->out, head, sizeof head - 1);
    if (pace_us) {
        append_event(&c->out);
        c->events_left = events;
        c->next_at = now_ns() + (uint64_t)pace_us * 1000u;
        paced_streams++;
        return;
    }
    for (int i = 0; i < events; i++) append_event(&c->out);
    append_stream_end(&c->out);
}

static void serve(int fd) {
    struct connection *c = &connections[fd];
    while (c->in.len && !c->events_left) {
        char *end = memmem(c->in.data, c->in.len, "\r\n\r\n", 4);
        if (!end) break;
        size_t head = (size_t)(end - c->in.data) + 4, body = 0;
        for (char *line = c->in.data; line < end; line = (char *)memmem(line, (size_t)(end + 2 - line), "\r\n", 2) + 2)
            if (!strncasecmp(line, "content-length:", 15)) body = strtoul(line + 15, NULL, 10);
        if (body > MAX_REQUEST) {
            drop(fd);
            return;
        }
        if (c->in.len < head + body) break;
        if (!strncmp(c->in.data, "GET /control", 12))
            control(c->in.data, head, &c->out);
        else if (memmem(c->in.data + head, body, "\"stream\":true", 13) ||
                 memmem(c->in.data + head, body, "\"stream\": true", 14))
            begin_stream(c);
        else
            append_answer(&c->out);
        c->in.len -= head + body;
        memmove(c->in.data, c->in.data + head + body, c->in.len);
    }
    flush(fd);
}

static void receive(int fd) {
    struct connection *c = &connections[fd];
    for (;;) {
        reserve(&c->in, 65536);
        size_t room = c->in.cap - c->in.len;
        ssize_t n = recv(fd, c->in.data + c->in.len, room, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (n <= 0) {
            drop(fd);
            return;
        }
        c->in.len += (size_t)n;
        if ((size_t)n < room) break;
    }
    serve(fd);
}

static void pace(void) {
    uint64_t now = now_ns();
    for (int fd = 0; fd <= highest_fd; fd++) {
        struct connection *c = &connections[fd];
        if (!c->open || !c->events_left || c->next_at > now) continue;
        c->next_at += (uint64_t)pace_us * 1000u;
        if (--c->events_left) {
            append_event(&c->out);
            flush(fd);
        } else {
            paced_streams--;
            append_stream_end(&c->out);
            serve(fd);
        }
    }
}

int main(int argc, char **argv) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 0));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) {
        perror("upstream");
        return 1;
    }
    socklen_t size = sizeof address;
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    epoll_fd = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = listener}, ready[256];
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        int n = epoll_wait(epoll_fd, ready, 256, paced_streams ? 1 : -1);
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (fd == listener) {
                int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (accepted < 0) continue;
                if (accepted >= MAX_FD) {
                    close(accepted);
                    continue;
                }
                setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                if (accepted > highest_fd) highest_fd = accepted;
                connections[accepted].open = 1;
                struct epoll_event a = {.events = EPOLLIN, .data.fd = accepted};
                epoll_ctl(epoll_fd, EPOLL_CTL_ADD, accepted, &a);
                continue;
            }
            if (connections[fd].open && ready[i].events & EPOLLOUT) flush(fd);
            if (connections[fd].open && ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(fd);
        }
        if (paced_streams) pace();
    }
}

// SPDX-License-Identifier: MIT
//
// The demos of user/, in the order in which they build on each other: for init's banner and for tour.
#ifndef USER_DEMOS_H
#define USER_DEMOS_H

struct demo {
    const char *name, *what;
};

struct chapter {
    const char *name;
    struct demo demos[9]; // ends with an empty one
};

static const struct chapter chapters[] = {
    {"promises", {
        {"life", "the life of one gibibyte"},
        {"forkvars", "fork and the three variables"},
        {"thirty", "thirty of a hundred pages"},
        {"sparse", "a sparse gibibyte and its page tables"},
        {"callocs", "calloc against malloc and memset"},
        {"runaway", "runaway recursion, caught"},
        {"collector", "two garbage collectors after fork"},
        {"stale", "no stale data"},
    }},
    {"called in", {
        {"reserve", "five hundred gibibytes reserved"},
        {"workers", "a hundred workers that share their memory"},
        {"overcommit", "overcommit: the three modes side by side"},
        {"oomstory", "out of memory: who dies, and why"},
    }},
};
#define CHAPTERS ((int)(sizeof(chapters) / sizeof(chapters[0])))

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/xml.h"
#include "model/pinning.h"
#include "model/request.h"

/* The parts of domain-xml.c that have files of their own, and what they share. */

/* Puts the place before what e says; returns r. */
int domain_fail_at(const struct xml_node *n, int r, struct err *e);

#define fail_syntax(n, e, ...)                                                                                    \
        domain_fail_at(n, err_set(e, -EINVAL, ERR_INVALID, xml_local_name(n), __VA_ARGS__), e)

/* <memory>, <memoryBacking>, <numatune> and <cpu><numa> of <domain>: which huge pages it will take. */
int domain_take_memory(const struct xml_node *domain, struct request *q, struct err *e);

/* <vcpu>, <cputune> and <cpu><topology>: all of *ret is replaced. */
int domain_take_pinning(const struct xml_node *domain, struct pinning *ret, struct err *e);

/* <cputune>: which CPUs of the host its vCPUs run on. */
int domain_take_cpus(const struct xml_node *domain, struct request *q, struct err *e);

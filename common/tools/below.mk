# below.mk: what make does in a folder below the course's own: it goes up and does there what was typed. The Makefiles of
# those folders include this file. In the folder of chapter 7, `make` runs that chapter, and `make grade`, `hint`, `weave`, …
# are grade7, hint7, weave7. Folders and files that are named after a setting are those that are seen from here.

MAKEFLAGS += --no-builtin-rules --no-print-directory
override SHELL := /bin/sh

quote = '$(subst ','\'',$1)'

COURSE := $(dir $(lastword $(MAKEFILE_LIST)))../..
NUMBER := $(patsubst 0%,%,$(firstword $(filter 0% 1% 2% 3% 4% 5% 6% 7% 8% 9% A B C D E F,$(subst -, ,$(notdir $(lastword $(CURDIR)))))))
GOALS  := $(or $(MAKECMDGOALS),$(if $(NUMBER),chapter,help))
ifneq ($(NUMBER),)
ONE   := chapter weave verify grade hint watch debug hidden reset solution
GOALS := $(foreach g,$(GOALS),$(if $(filter $(ONE),$g),$g$(NUMBER),$g))
endif

# A setting is what was typed, whatever is in it.
$(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $v))),$(eval override $v := $$(value $v))$(eval TYPED += $v)))

# DIR=../class → DIR=/…/chapters/../class
LOCAL  := $(foreach n,DIR OUT FILE BUNDLE,$(if $(and $(filter $n,$(TYPED)),$(value $n),$(if $(filter /%,$(firstword \
	$(value $n))),,relative)),$n))
MOVED  := $(foreach n,$(LOCAL),$(call quote,$n=$(CURDIR)/$(value $n)))
# Of what takes a chapter by a setting, this one is meant.
MOVED  += $(if $(and $(NUMBER),$(filter learn questions,$(GOALS)),$(if $(filter CHAPTER,$(TYPED)),,none)),CHAPTER=$(NUMBER))

.PHONY: up
.DEFAULT_GOAL := up
up:
	+@$(MAKE) -C $(call quote,$(COURSE)) $(foreach g,$(GOALS),$(call quote,$g)) $(MOVED)
%: up ; @:
$(MAKEFILE_LIST): ;

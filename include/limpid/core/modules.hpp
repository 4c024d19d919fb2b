#pragma once

// What the interfaces of networks take of LibTorch's modules: all of torch/nn.h, or, in programs
// that link limpid::compiled, what they name and no more. Each class of the rest would be
// instantiated in every program, used or not.

#include <limpid/core/compiled.hpp>

#ifdef LIMPID_BODIES
#include <torch/nn.h>
#else
#include <torch/nn/cloneable.h>
#include <torch/nn/functional/batchnorm.h>
#include <torch/nn/functional/instancenorm.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/instancenorm.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/pixelshuffle.h>
#endif

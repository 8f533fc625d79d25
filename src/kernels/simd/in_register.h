// A word with the compiler about where a value is kept.
#ifndef LITERTLM_KERNELS_SIMD_IN_REGISTER_H_
#define LITERTLM_KERNELS_SIMD_IN_REGISTER_H_

namespace litertlm {

/// A loaded value that several instructions use. Without this, compilers make it an operand in
/// memory of each of them: the line is read again for each, and fewer lines are under way. Sums of
/// integers, too, that become floats after a loop, or GCC 12 stores each of them in each turn.
template <typename I>
[[gnu::always_inline]] inline I InRegister(I value) {
#if defined(__x86_64__)
  asm("" : "+v"(value));
#endif
  return value;
}

}  // namespace litertlm

#endif  // LITERTLM_KERNELS_SIMD_IN_REGISTER_H_

/**
 * What the CPU computes with: the forms of its inner loops, which families of kernels implement, the
 * threads they run on and the memory they see.
 */
@NullMarked
package carousel.tensor.cpu.loop;

import org.jspecify.annotations.NullMarked;

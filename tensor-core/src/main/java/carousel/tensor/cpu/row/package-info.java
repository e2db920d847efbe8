/**
 * Kernels of pointwise composites: what a body does to every row of its inputs, as a few loops forward
 * and a few back, made when it is met ({@code Composites}).
 */
@NullMarked
package carousel.tensor.cpu.row;

import org.jspecify.annotations.NullMarked;

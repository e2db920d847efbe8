/**
 * What of CUDA a machine has, and what it lacks: the driver, its devices, the libraries and bindings that a
 * device needs. Nothing here computes.
 */
@NullMarked
package carousel.cuda.probe;

import org.jspecify.annotations.NullMarked;

/**
 * Recurrences: cells whose steps have kernels by hand, what tells that a step is one of these ({@link
 * carousel.cuda.scan.StepMatch}), and whole sequences of them, forward and back.
 */
@NullMarked
package carousel.cuda.scan;

import org.jspecify.annotations.NullMarked;

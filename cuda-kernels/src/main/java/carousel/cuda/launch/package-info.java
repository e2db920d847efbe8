/**
 * How a kernel is launched, whichever it is: a {@link carousel.cuda.launch.Kernel} is declared with its
 * parameters, a {@link carousel.cuda.launch.Launcher} writes arguments and starts it, a {@link
 * carousel.cuda.launch.View} says where a tensor's elements lie, {@link carousel.cuda.launch.DeviceErrors}
 * what a kernel finds wrong.
 */
@NullMarked
package carousel.cuda.launch;

import org.jspecify.annotations.NullMarked;

/**
 * The CPU's loops on the Vector API. Nothing outside of this package touches a type of {@code
 * jdk.incubator.vector}, so that the rest loads where that module is absent.
 */
@NullMarked
package carousel.tensor.cpu.vector;

import org.jspecify.annotations.NullMarked;

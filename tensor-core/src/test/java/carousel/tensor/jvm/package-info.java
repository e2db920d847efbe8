/** Programs of tests in a JVM of their own. */
@NullMarked
package carousel.tensor.jvm;

import org.jspecify.annotations.NullMarked;

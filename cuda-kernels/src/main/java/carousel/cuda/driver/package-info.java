/** What the backend needs of CUDA, whoever provides it. */
@NullMarked
package carousel.cuda.driver;

import org.jspecify.annotations.NullMarked;

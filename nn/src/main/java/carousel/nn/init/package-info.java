/** First values of weights. */
@NullMarked
package carousel.nn.init;

import org.jspecify.annotations.NullMarked;

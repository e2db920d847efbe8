/** Models to and from ONNX files. */
@NullMarked
package carousel.exchange.onnx;

import org.jspecify.annotations.NullMarked;

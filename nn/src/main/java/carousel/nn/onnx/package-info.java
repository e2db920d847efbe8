/** Models to and from ONNX files. */
@NullMarked
package carousel.nn.onnx;

import org.jspecify.annotations.NullMarked;

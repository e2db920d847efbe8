/** Charts and heat maps, described once and drawn as SVG and as PNG. */
@NullMarked
package carousel.zoo.plot;

import org.jspecify.annotations.NullMarked;

/**
 * The contract of the rows: a catalogue of cases for every op, and the tests that hold every device
 * against the reference on them. Other modules take the catalogue for their own contracts.
 */
@NullMarked
package carousel.tensor.contract;

import org.jspecify.annotations.NullMarked;

package carousel.cuda.driver;

import jcuda.Pointer;

/** A JCuda pointer to an address known as a number. */
final class NativeAddress extends Pointer {
  NativeAddress(long address) {
    super(address);
  }
}

package carousel.cuda.driver;

import jcuda.driver.CUstream;

/** A JCuda stream that tells its handle, for libraries that JCuda does not bind. */
final class Stream extends CUstream {
  long address() {
    return getNativePointer();
  }
}

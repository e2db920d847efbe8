package carousel.cuda.emulator;

import carousel.cuda.driver.Compiler;
import carousel.cuda.driver.KernelSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Makes code for the device of {@code fake_device.c}: the library that the emulator would load. */
public final class EmulatedCompiler implements Compiler {
  private final HostCompiler compiler;

  /**
   * A compiler with the emulator's cache.
   *
   * @param cache the folder
   */
  public EmulatedCompiler(Path cache) {
    this.compiler = new HostCompiler("g++", false, cache);
  }

  @Override
  public byte[] compile(KernelSource source, int capability) {
    try {
      return Files.readAllBytes(compiler.kernels(source));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String fingerprint(int capability) {
    return "g++";
  }
}

package carousel.cuda.driver;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * A file of kernels and what it includes.
 *
 * @param name e.g. {@code unary.cu}
 * @param files the texts by name, this file first
 */
public record KernelSource(String name, Map<String, String> files) {
  private static final String FOLDER = "/carousel/cuda/kernels/";
  private static final Pattern INCLUDE =
      Pattern.compile("^#include \"([^\"]+)\"", Pattern.MULTILINE);

  /** Copies the map. */
  public KernelSource {
    files = Collections.unmodifiableMap(new LinkedHashMap<>(files));
  }

  /**
   * Reads a file of this module, and those it includes.
   *
   * @param name its name below {@code src/main/cuda}
   * @return the source
   */
  public static KernelSource of(String name) {
    Map<String, String> files = new LinkedHashMap<>();
    read(name, files);
    return new KernelSource(name, files);
  }

  /**
   * A file written by code, and the files of this module that it includes.
   *
   * @param name a name of its own, without an extension
   * @param text its text
   * @return the source
   */
  public static KernelSource written(String name, String text) {
    Map<String, String> files = new LinkedHashMap<>();
    files.put(name + ".cu", text);
    INCLUDE.matcher(text).results().forEach(include -> read(include.group(1), files));
    return new KernelSource(name + ".cu", files);
  }

  private static void read(String name, Map<String, String> files) {
    if (files.containsKey(name)) {
      return;
    }
    try (var in = KernelSource.class.getResourceAsStream(FOLDER + name)) {
      if (in == null) {
        throw new IllegalArgumentException("there is no kernel file " + name);
      }
      String text = new String(in.readAllBytes(), UTF_8);
      files.put(name, text);
      String folder = name.substring(0, name.lastIndexOf('/') + 1);
      INCLUDE.matcher(text).results().forEach(include -> read(folder + include.group(1), files));
    } catch (IOException e) {
      throw new UncheckedIOException("the kernel file " + name + " cannot be read", e);
    }
  }

  /** {@return the text of the file itself, without what it includes} */
  public String text() {
    return files.getOrDefault(name, "");
  }
}

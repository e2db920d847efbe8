package carousel.tensor.cpu.vector;

import org.jspecify.annotations.Nullable;

/** The classes whose static methods are bodies of elementwise operations, one per lane type. */
enum BodySource {
  /** Bodies that are the same for every lane type. */
  ANY(AnyBodies.class),
  F32(F32Bodies.class),
  F64(F64Bodies.class),
  I32(I32Bodies.class);

  private final Class<?> type;
  private final String internalName;

  BodySource(Class<?> type) {
    this.type = type;
    this.internalName = type.getName().replace('.', '/');
  }

  Class<?> type() {
    return type;
  }

  /** The source whose class has this internal name, or null. */
  static @Nullable BodySource of(String internalName) {
    for (BodySource source : values()) {
      if (source.internalName.equals(internalName)) {
        return source;
      }
    }
    return null;
  }

  /** Whether the class declares a body of this name. */
  boolean has(String body) {
    for (var method : type.getDeclaredMethods()) {
      if (method.getName().equals(body)) {
        return true;
      }
    }
    return false;
  }
}

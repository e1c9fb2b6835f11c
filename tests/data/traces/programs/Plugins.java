import java.util.ArrayList;
import java.util.List;

/** A class loader per round, as plug-ins and scripts are loaded: java -cp DIR Plugins keep|drop PER_SECOND. Kept, its classes stay for ever. */
public class Plugins {
    public static class Plugin { byte[] state = new byte[2000]; }

    static class Loader extends ClassLoader {
        Object make(byte[] image) throws Exception {
            return defineClass("Plugins$Plugin", image, 0, image.length).getDeclaredConstructor().newInstance();
        }
    }

    public static void main(String[] args) throws Exception {
        boolean keeps = args[0].equals("keep");
        int perSecond = Integer.parseInt(args[1]);
        List<Object> kept = new ArrayList<>();
        byte[] image;
        try (var in = Plugins.class.getResourceAsStream("Plugins$Plugin.class")) { image = in.readAllBytes(); }
        while (true) {
            for (int i = 0; i < perSecond / 10; i++) {
                Object plugin = new Loader().make(image);
                if (keeps) kept.add(plugin);
            }
            Thread.sleep(100);
        }
    }
}

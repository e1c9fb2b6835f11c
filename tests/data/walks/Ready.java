public class Ready {
    public static void main(String[] args) throws Exception {
        byte[][] held = new byte[32][];
        for (int i = 0; i < held.length; i++)
            held[i] = new byte[1 << 20];
        System.out.println("ready");
        System.in.read();
        System.out.println(held.length);
    }
}

package cluster
import ("testing";"context";"time";"log/slog";"os")
func TestSmoke(t *testing.T){
 slog.SetLogLoggerLevel(slog.LevelDebug)
 for _, o := range []Options{{ThrowAway:true},{ThrowAway:true,Cache:"/tmp/hpcache-smoke"},{ThrowAway:true,Cache:"/tmp/hpcache-smoke"}} {
 o.Log=slog.Default()
 b:=time.Now()
 c,err:=Start(context.Background(),o)
 if err!=nil {t.Fatal(err)}
 t.Log(c.URL("x"), c.Version(), time.Since(b))
 b=time.Now()
 if err:=c.Stop(context.Background());err!=nil{t.Fatal(err)}
 t.Log("stop",time.Since(b))
 }
 os.RemoveAll("/tmp/hpcache-smoke")
}

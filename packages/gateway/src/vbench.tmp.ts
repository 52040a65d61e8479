import sharp from 'sharp';
import { createVerifier } from '/work/main/packages/core/src/images/verify.ts';
import { randomBytes } from 'node:crypto';
const raw = randomBytes(2000*2000*3);
const img = () => sharp(raw,{raw:{width:2000,height:2000,channels:3}});
const gifFrames=(n:number)=>{const s=Buffer.from('47494638396100000000800000ff0000000000','hex');s.writeUInt16LE(1,6);s.writeUInt16LE(1,8);const f=Buffer.from('21f90404010000002c00000000010001000002024401'.length?'21f9040401000000'+'2c00000000010001000002024401'+'00':'','hex');return Buffer.concat([s,...Array.from({length:n},()=>f),Buffer.from([0x3b])]);};
const files:Record<string,Buffer>={png:await img().png().toBuffer(),jpeg:await img().jpeg({quality:95}).toBuffer(),webp:await img().webp({quality:95}).toBuffer(),gif:await img().gif().toBuffer(),gif100k:gifFrames(100_000)};
for(const [name,b] of Object.entries(files)){ let best=1e9,v; const reps=name==='gif100k'?4:15;
 for(let i=0;i<reps;i++){const t=performance.now();const w=createVerifier();for(let at=0;at<b.length;at+=65536)w.write(b.subarray(at,at+65536));v=w.end();best=Math.min(best,performance.now()-t);}
 console.log(name,(b.length/1e6).toFixed(2)+'MB',best.toFixed(2)+'ms',(b.length/1e6/best*1000).toFixed(0)+'MB/s',v!.ok||JSON.stringify(v));}

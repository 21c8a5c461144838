// Runs a graph: node run.js MODEL.onnx INPUT OUTPUT, with the rows of input and output as
// little-endian float64. Node.js finds onnxruntime-node by $NODE_PATH.
const fs = require('fs')
const ort = require('onnxruntime-node')

async function main([model, input, output]) {
	const session = await ort.InferenceSession.create(model)
	const [name] = session.inputNames
	const bytes = fs.readFileSync(input)
	const x = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
	const width = session.inputMetadata[0].shape[1]
	const y = await session.run({ [name]: new ort.Tensor('float64', x, [x.length / width, width]) })
	fs.writeFileSync(output, Buffer.from(y[session.outputNames[0]].data.buffer))
	console.log(session.inputNames, session.outputNames, session.inputMetadata[0])
}
main(process.argv.slice(2)).catch(e => { console.error(e.message); process.exit(1) })
